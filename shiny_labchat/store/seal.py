"""
The seal of a database whose rows move to another one: nobody can write to it any more.

The database itself refuses, by triggers of its tables. So no process writes there, whatever version
it runs and whenever it began. What was stored before is still read as ever.
"""

from __future__ import annotations

import secrets
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.errors import LabChatError, StoreError
from shiny_labchat.store.engine import SEALED
from shiny_labchat.store.postgres_errors import SEALED_STATE
from shiny_labchat.store.schema import TEXT, metadata

__all__ = ["Seal", "break_seal", "check_not_sealed", "note_copied", "seal", "seal_of"]


class Seal(NamedTuple):
    """
    A seal.

    Parameters
    ----------
    id
        The random id of this move.
    to
        The URL of the database that all rows move to, without its password.
    at
        When it was sealed, in microseconds since 1970 (UTC).
    is_copied
        Whether all rows were copied, and are stored there or about to be.
    """

    id: str
    to: str
    at: int
    is_copied: bool


# It is made with the seal, and goes with it: the schema of a database that is in use has no seal.
_seal = sa.Table(
    "labchat_seal",
    sa.MetaData(),
    sa.Column("id", TEXT, primary_key=True),
    sa.Column("moved_to", TEXT, nullable=False),
    sa.Column("at", sa.BigInteger, nullable=False),
    sa.Column("is_copied", sa.Boolean, nullable=False),
)


def seal_of(conn: sa.Connection) -> Seal | None:
    """The seal of a database; None: it has none."""
    if not sa.inspect(conn).has_table(_seal.name):
        return None
    row = conn.execute(sa.select(_seal)).first()
    return None if row is None else Seal(*row)


def check_not_sealed(conn: sa.Connection) -> None:
    """
    Make sure that a database is not sealed, before something outside of it is changed.

    Raises
    ------
    StoreError
        It is.
    """
    if (found := seal_of(conn)) is not None:
        url = conn.engine.url.render_as_string()
        raise StoreError("store_moved", url, _sentence(found))


def seal(conn: sa.Connection, to: sa.URL, now: int) -> Seal:
    """
    Seal a database, in a transaction that writes.

    Transactions of others that write are waited for; later ones fail with ``store_moved``.

    Raises
    ------
    LabChatError
        It has a seal, since a moment ago.
    """
    if conn.dialect.name == "postgresql":  # all tables are locked first, and in one order
        names = ", ".join(metadata.tables)
        conn.exec_driver_sql(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE")
    if (others := seal_of(conn)) is not None:
        url = conn.engine.url.render_as_string()
        raise LabChatError(f"another command has begun to move {url} to {others.to}; let it end")
    made = Seal(secrets.token_hex(16), to.render_as_string(), now, is_copied=False)
    for statement in _statements(conn.dialect.name, _sentence(made).replace("'", "''")):
        conn.exec_driver_sql(statement)
    _seal.create(conn)
    conn.execute(sa.insert(_seal).values(tuple(made)))
    return made


def note_copied(conn: sa.Connection, id: str) -> bool:
    """Note that all rows were copied; whether the database still has this seal."""
    return (
        conn.execute(sa.update(_seal).where(_seal.c.id == id).values(is_copied=True)).rowcount > 0
    )


def break_seal(conn: sa.Connection) -> None:
    """Let everybody write to a database again that has a seal."""
    if conn.dialect.name == "sqlite":
        for name in _triggers(conn):
            conn.exec_driver_sql(f"DROP TRIGGER {name}")
    else:
        conn.exec_driver_sql("DROP FUNCTION labchat_refuse CASCADE")
    _seal.drop(conn)


def _sentence(seal: Seal) -> str:
    at = to_datetime(seal.at).strftime("%Y-%m-%d %H:%M:%S")
    return f"{SEALED}{seal.to}, since {at} UTC; start the app with that URL"


def _statements(dialect: str, sentence: str) -> list[str]:
    """What has the database refuse; `sentence`: what it says, quoted."""
    if dialect == "sqlite":
        return [
            f"CREATE TRIGGER {_TRIGGER}{table}_{verb} BEFORE {verb} ON {table} "
            f"BEGIN SELECT RAISE(ABORT, '{sentence}'); END"
            for table in metadata.tables
            for verb in ("INSERT", "UPDATE", "DELETE")
        ]
    sentence = sentence.replace("%", "%%")  # the driver takes "%" for a place of a value
    raises = f"RAISE EXCEPTION USING ERRCODE = '{SEALED_STATE}', MESSAGE = '{sentence}'"
    return [
        "CREATE FUNCTION labchat_refuse() RETURNS trigger LANGUAGE plpgsql AS "
        f"$refuse$ BEGIN {raises}; END $refuse$",
        *(
            f"CREATE TRIGGER {_TRIGGER}{table} BEFORE INSERT OR UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION labchat_refuse()"
            for table in metadata.tables
        ),
    ]


_TRIGGER = "labchat_seal_"


def _triggers(conn: sa.Connection) -> list[str]:
    found = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'labchat_seal_%'"
    return list(conn.exec_driver_sql(found).scalars())
