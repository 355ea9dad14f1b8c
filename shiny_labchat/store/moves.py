"""
The moves by which the rows of a database have come from others, noted in the database itself.

By them a move that was interrupted learns whether it was stored.
"""

from __future__ import annotations

from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.store.schema import TEXT

__all__ = ["Arrived", "moves_of", "note_move"]


class Arrived(NamedTuple):
    """
    A move whose rows are in the database.

    Parameters
    ----------
    id
        The id of the seal of the old database.
    source
        The URL of the old database, without its password.
    sealed, stored
        When nobody could write to the old one any more, and when all was here: microseconds since
        1970 (UTC).
    rows
        How many rows have moved.
    """

    id: str
    source: str
    sealed: int
    stored: int
    rows: int


# It is made with the first move: a database that was never moved has none.
_move = sa.Table(
    "labchat_move",
    sa.MetaData(),
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("source", TEXT, nullable=False),
    sa.Column("sealed", sa.BigInteger, nullable=False),
    sa.Column("stored", sa.BigInteger, nullable=False),
    sa.Column("rows", sa.BigInteger, nullable=False),
)


def moves_of(conn: sa.Connection) -> list[Arrived]:
    """The moves by which a database has its rows, oldest first."""
    if not sa.inspect(conn).has_table(_move.name):
        return []
    return [Arrived(*row) for row in conn.execute(sa.select(_move).order_by(_move.c.stored))]


def note_move(conn: sa.Connection, made: Arrived, before: list[Arrived]) -> None:
    """Note a move, and those by which the old database had its rows, in a new database."""
    _move.create(conn, checkfirst=True)
    conn.execute(sa.insert(_move), [each._asdict() for each in (*before, made)])
