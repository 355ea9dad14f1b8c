"""
Whether a transaction was stored, if the connection was lost while it was committed.

The number that the server gives to a transaction does not tell it: after a crash, or in the standby
that has taken over, the numbers of those that are lost are given to others. So each transaction of
a writer stores, in a row of its connection, how many there were.
"""

from __future__ import annotations

import secrets
import time
from typing import NamedTuple

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from shiny_labchat.errors import StoreError
from shiny_labchat.store.schema import TEXT

__all__ = ["NOTE", "NOW", "Note", "make_table", "next_note", "take_note", "was_stored"]

PATIENCE = 20.0
"""
How long it is tried to find this out, in seconds. A server that has lost a connection ends its
transaction before that; see `connect`.
"""
PAUSE = 0.1
"""Pause between two such tries, in seconds."""
KEPT = 24 * 3_600_000_000
"""How long the row of a connection that is not used any more is kept, in microseconds."""

# `now()` is the time at which a transaction began, which is old after a lock was waited for.
NOW = "CAST(extract(epoch FROM clock_timestamp()) * 1000000 AS bigint)"
"""The time, in microseconds since 1970 (UTC)."""
NOTE = f"""
INSERT INTO last_commit (connection, number, at) VALUES (%s, %s, {NOW})
ON CONFLICT (connection) DO UPDATE SET number = excluded.number, at = excluded.at
"""
"""Stores a `Note` in its transaction."""

_metadata = sa.MetaData()
_table = sa.Table(
    "last_commit",
    _metadata,
    sa.Column("connection", TEXT, primary_key=True),
    sa.Column("number", sa.BigInteger, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
)


class Note(NamedTuple):
    """What a transaction stores: its connection's name, and its number there."""

    connection: str
    number: int


_NAME, _COUNT, _NOTE = "labchat connection", "labchat transactions", "labchat note"


def make_table(engine: sa.Engine) -> None:
    """Make the table if there is none, and forget connections that have ended long ago."""
    with engine.begin() as conn:
        _metadata.create_all(conn)
        conn.exec_driver_sql(f"DELETE FROM last_commit WHERE at < {NOW} - {KEPT}")


def next_note(conn: sa.Connection) -> Note:
    """What the transaction that was begun on a connection is to store."""
    name = conn.info.setdefault(_NAME, secrets.token_hex(8))
    number = conn.info[_COUNT] = conn.info.get(_COUNT, 0) + 1
    note = conn.info[_NOTE] = Note(name, number)
    return note


def take_note(conn: sa.Connection) -> Note | None:
    """What the transaction that is to be committed has stored; None: nothing."""
    return conn.info.pop(_NOTE, None)


def was_stored(engine: sa.Engine, note: Note | None, lost: DBAPIError) -> bool:
    """
    Whether a transaction was stored whose connection was lost.

    Raises
    ------
    StoreError
        ``store_gone``: the server does not tell.
    """
    deadline = time.monotonic() + PATIENCE
    while note is not None and time.monotonic() < deadline:
        try:
            return _last_number(engine, note.connection) == note.number
        except SQLAlchemyError:
            time.sleep(PAUSE)
    why = "the connection was lost; whether it was stored is not known"
    raise StoreError("store_gone", engine.url.render_as_string(), why) from lost


def _last_number(engine: sa.Engine, connection: str) -> int:
    """What is in a connection's row; waits for the transaction that may still be at work on it."""
    with engine.begin() as conn:
        return conn.exec_driver_sql(_ASK, (connection,)).scalar_one()


_ASK = f"""
INSERT INTO last_commit (connection, number, at) VALUES (%s, 0, {NOW})
ON CONFLICT (connection) DO UPDATE SET at = excluded.at RETURNING number
"""
