"""What only PostgreSQL does: transactions, statements, and its errors; see `engine`."""

from __future__ import annotations

import re
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from importlib.util import find_spec
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy.exc import ArgumentError, DBAPIError

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.engine import Moved
from shiny_labchat.store.postgres_errors import has_waited_in_vain, is_passing
from shiny_labchat.store.postgres_outcome import NOTE, NOW, next_note, take_note, was_stored
from shiny_labchat.store.schema import audit, checkpoint, event, metadata, room

__all__ = [
    "CLAIMS_ALWAYS",
    "NAMES",
    "UPGRADE_LOCK",
    "address_of",
    "append",
    "begin",
    "begin_filling",
    "end_filling",
    "events_beyond",
    "execute",
    "insert",
    "is_in_transaction",
    "is_passing",
    "last_moved",
    "lease_time",
    "may_name_in_audience",
    "note_boot",
    "parse",
    "rewrite_events",
    "rooms_moved",
    "savepoint",
    "state_of",
    "take_time",
    "transaction",
    "version_of",
    "wait_for_rooms",
]

NAMES = ("postgres", "postgresql")
"""How the URL of such a database begins."""
SHORT_LOCK_TIMEOUT = 50
"""How long a lock is waited for in a transaction that has waited for one in vain, in ms."""
PORT = 5432
"""Where a server listens, if its address does not say."""
_HERE = ("", "127.0.0.1", "::1")
"""What else this machine is called in addresses."""
CLAIMS_ALWAYS: bool = True
"""A transaction that writes has what it has locked, and no more."""
_LOCKS = 0x6C616263
"""The first number of the advisory locks: those of this package in the database."""
UPGRADE_LOCK = f"SELECT pg_advisory_xact_lock({_LOCKS}, 1)"
"""Has one process at a time upgrade the schema."""


def parse(url: str) -> sa.URL:
    """
    The URL of a lab's database on a server, such that the same database has the same URL.

    Raises
    ------
    ValueError
        It is not a URL of a database, or names another driver than psycopg.
    ImportError
        psycopg is not installed.
    """
    try:
        parsed = sa.make_url(url)
    except (ArgumentError, ValueError) as exc:
        raise ValueError("url: it is not a URL such as postgresql://name:password@host/db") from exc
    driver = parsed.drivername.partition("+")[2] or "psycopg"
    if driver != "psycopg":
        raise ValueError(f"url: the driver {driver!r} is not supported; use postgresql+psycopg://")
    if not parsed.database:
        raise ValueError(f"url: {parsed.render_as_string()} names no database: add /NAME")
    if find_spec("psycopg") is None:
        raise ImportError('PostgreSQL needs a driver: pip install "shiny-labchat[postgres]"')
    said = parsed.query.get("password")  # in the query, it would be shown
    password = parsed.password or (said if isinstance(said, str) else None)
    parsed = parsed.difference_update_query(["password"])
    return parsed.set(drivername="postgresql+psycopg", password=password)


def address_of(url: sa.URL) -> list[str]:
    """Where a lab is, whoever connects to it, and however: host, port, database, and schema."""
    host, port, said = (_text(url.query.get(name, "")) for name in ("host", "port", "options"))
    host = (url.host or host).lower()
    address = ["localhost" if host in _HERE else host, str(url.port or port or PORT)]
    schema = re.search(r"search_path\s*=\s*(\S+)", said)
    return [*address, url.database or "", *(() if schema is None else schema.groups())]


def _text(value: str | tuple[str, ...]) -> str:
    return value if isinstance(value, str) else ",".join(value)


# ── transactions of the writer ──


@contextmanager
def transaction(conn: sa.Connection) -> Generator[None]:
    """
    A transaction; after any exception it is undone.

    If the connection is lost while it is committed, the server is asked whether it was stored.
    """
    begun = conn.begin()
    try:
        yield
    except BaseException:
        begun.rollback()
        raise
    note = take_note(conn)
    try:
        begun.commit()
    except DBAPIError as exc:
        begun.rollback()
        if not exc.connection_invalidated or not was_stored(conn.engine, note, exc):
            raise


def begin(
    conn: sa.Connection, rooms: Collection[int], *, keeps_books: bool, rewrites: bool
) -> tuple[Mapping[int, int], int]:
    """
    As `Transactions.begin`.

    All lock the rooms in the order of their numbers, and then what else they need, in one order:
    so none waits for one that waits for it. Each statement is a round trip, for which this thread
    gives up the interpreter: so the one that locks rooms tells the time, too, if that is all.
    """
    note, claimed = next_note(conn), list[Any]()
    if rooms:
        claimed = [*conn.exec_driver_sql(_CLAIM, (*note, list(rooms)))]
    heads = {number: seq for number, seq, _ in claimed}
    if not rooms:
        begun = f"{_NOTED} {_KEEP_BOOKS if keeps_books else _TELL}"
        now = conn.exec_driver_sql(begun, note).scalar_one()
    elif keeps_books or not claimed:
        now = conn.exec_driver_sql(_KEEP_BOOKS if keeps_books else _TELL).scalar_one()
    else:
        now = claimed[-1][2]
    if rewrites:
        conn.exec_driver_sql("LOCK TABLE event IN SHARE ROW EXCLUSIVE MODE")
    return heads, now


# Whoever inserts rows that refer to a room need not wait for this lock. The time is told of the
# rows that are locked, so after that was waited for.
_NOTED = f"WITH noted AS ({NOTE})"
_CLAIM = f"""
{_NOTED}, claimed AS (
    SELECT key, seq FROM room WHERE key = ANY(%s) ORDER BY key FOR NO KEY UPDATE
)
SELECT key, seq, {NOW} FROM claimed
"""
_TELL = f"SELECT {NOW}"
_KEEP_BOOKS = f"SELECT {NOW} FROM pg_advisory_xact_lock({_LOCKS}, 2)"


@contextmanager
def savepoint(conn: sa.Connection) -> Generator[None]:
    """
    Undo what was written inside if that fails; the rest of the transaction stays as it is.

    Once something has waited in vain for a lock, the rest hardly waits: all that is queued waits
    for this transaction.
    """
    conn.exec_driver_sql("SAVEPOINT job")
    try:
        yield
    except BaseException as exc:
        if not conn.invalidated:
            conn.exec_driver_sql("ROLLBACK TO SAVEPOINT job")
            conn.exec_driver_sql("RELEASE SAVEPOINT job")
            if isinstance(exc, DBAPIError) and has_waited_in_vain(exc):
                conn.exec_driver_sql(f"SET LOCAL lock_timeout = {SHORT_LOCK_TIMEOUT}")
        raise
    conn.exec_driver_sql("RELEASE SAVEPOINT job")


def is_in_transaction(conn: sa.Connection) -> bool:
    """Whether the transaction can go on: no statement has failed outside of a savepoint."""
    if conn.invalidated or not conn.in_transaction():
        return False
    raw: Any = conn.connection.driver_connection
    return raw.info.transaction_status.name in ("IDLE", "INTRANS")


def note_boot(conn: sa.Connection) -> None:
    """Nothing: all processes measure leases by the server's clock."""


def version_of(conn: sa.Connection) -> int | None:
    """None: there is no such number."""
    return None


# ── statements ──


def execute(conn: sa.Connection, statement: str, values: Sequence[Any] = ()) -> int:
    """Execute a statement with ``?`` for its values; return how many rows it has changed."""
    return conn.exec_driver_sql(statement.replace("?", "%s"), tuple(values)).rowcount


def insert(
    conn: sa.Connection, table: sa.Table, rows: Sequence[Sequence[Any]], ending: str = ""
) -> None:
    """Insert rows that have all columns of a table; `ending`: what follows the values."""
    if rows:
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        conn.exec_driver_sql(f"{_insertion(table)} {ending}", columns)


@lru_cache(16)
def _insertion(table: sa.Table) -> str:
    arrays = ", ".join(f"CAST(%s AS {_type_of(column)}[])" for column in table.c)
    return f"INSERT INTO {table.name} ({', '.join(table.c.keys())}) SELECT * FROM unnest({arrays})"


def _type_of(column: sa.Column[Any]) -> str:
    return next((name for kind, name in _TYPES.items() if isinstance(column.type, kind)), "text")


_TYPES = {
    sa.BigInteger: "bigint",
    sa.Integer: "integer",
    sa.Boolean: "boolean",
    sa.Float: "double precision",
}


def rewrite_events(conn: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
    """As `Statements.rewrite_events`, in one statement: others wait meanwhile."""
    if rows:
        columns = tuple(list(column) for column in zip(*rows, strict=True))
        conn.exec_driver_sql(_REWRITE, columns)


_REWRITE = """
UPDATE event SET member = news.member, author = news.author, data = news.data, cid = news.cid
FROM unnest(CAST(%s AS integer[]), CAST(%s AS bigint[]), CAST(%s AS text[]), CAST(%s AS text[]),
    CAST(%s AS text[]), CAST(%s AS text[])) AS news(room, seq, member, author, data, cid)
WHERE event.room = news.room AND event.seq = news.seq
"""


def append(
    conn: sa.Connection, rows: Sequence[Sequence[Any]], moves: Sequence[tuple[int, int, int]]
) -> bool:
    """As `queries.append_events`, in one statement; `touched` is the number of the transaction."""
    if not moves:
        insert(conn, event, rows)
        return True
    columns = [list(column) for column in zip(*moves, strict=True)]
    inserted = ""
    if rows:
        columns = [*(list(column) for column in zip(*rows, strict=True)), *columns]
        inserted = f"WITH inserted AS ({_insertion(event)})"
    return conn.exec_driver_sql(f"{inserted}{_MOVE_HEADS}", tuple(columns)).rowcount == len(moves)


_OWN_NUMBER = "CAST(CAST(pg_current_xact_id() AS text) AS bigint)"
_MOVE_HEADS = f"""
UPDATE room SET seq = moved.head, touched = {_OWN_NUMBER}
FROM unnest(CAST(%s AS integer[]), CAST(%s AS bigint[]), CAST(%s AS bigint[]))
    AS moved(number, was, head)
WHERE room.key = moved.number AND room.seq = moved.was
"""


def rooms_moved(conn: sa.Connection, since: int) -> tuple[list[Moved], int]:
    """
    As `Statements.rooms_moved`.

    All transactions up to the mark have ended. Those after it may be in progress, and some of them
    stored: so their rooms are named again.
    """
    rows = conn.exec_driver_sql(_MOVED, (since,)).fetchall()
    moved = [Moved(n, LogKey(*key), seq) for _, n, *key, seq in rows if n is not None]
    return moved, rows[0][0]


def events_beyond(conn: sa.Connection, heads: Sequence[tuple[int, int]]) -> Sequence[Sequence[Any]]:
    """As `Statements.events_beyond`."""
    columns = tuple(list(column) for column in zip(*heads, strict=True))
    return conn.exec_driver_sql(_BEYOND, columns).fetchall() if heads else ()


_BEYOND = """
SELECT event.room, seq, at, kind, member, data, cid
FROM unnest(CAST(%s AS integer[]), CAST(%s AS bigint[])) AS known(room, head)
    JOIN event ON event.room = known.room AND event.seq > known.head
ORDER BY event.room, seq
"""


def last_moved(conn: sa.Connection) -> int:
    """What a look would give now."""
    return conn.exec_driver_sql(f"SELECT {_MARK}").scalar_one()


def state_of(conn: sa.Connection) -> str:
    """Which transactions have ended: what `last_moved` says stays while any of them is open."""
    return conn.exec_driver_sql("SELECT CAST(pg_current_snapshot() AS text)").scalar_one()


def wait_for_rooms(conn: sa.Connection) -> None:
    """Wait, as a room that is stored later may have a smaller number than one that is there."""
    conn.exec_driver_sql("LOCK TABLE room IN SHARE MODE")


def take_time(conn: sa.Connection) -> None:
    """As `Statements.take_time`; the connection waits without limit from then on, too."""
    raw: Any = conn.connection.driver_connection
    raw.limit = None
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        conn.exec_driver_sql(f"SET LOCAL {name} = 0")


def begin_filling(conn: sa.Connection) -> None:
    """Lock all tables, and take the time that it takes."""
    take_time(conn)
    conn.exec_driver_sql(f"LOCK TABLE {', '.join(metadata.tables)} IN EXCLUSIVE MODE")


def end_filling(conn: sa.Connection) -> None:
    """As `Statements.end_filling`; what the planner knows of the tables is brought up to date."""
    for table in (room, audit, checkpoint):
        conn.exec_driver_sql(_COUNT_ON.format(table=table.name))
    conn.exec_driver_sql(f"UPDATE room SET touched = {_OWN_NUMBER}")
    conn.exec_driver_sql(f"ANALYZE {', '.join(metadata.tables)}")
    raw: Any = conn.connection.driver_connection
    del raw.limit  # from here on, the usual one
    raw.commit_limit = raw.limit  # the commit has much to flush


_COUNT_ON = """
SELECT setval(pg_get_serial_sequence('{table}', 'key'), coalesce(max(key), 0) + 1, false)
FROM {table}
"""
_MARK = "CAST(CAST(pg_snapshot_xmin(pg_current_snapshot()) AS text) AS bigint) - 1"
_MOVED = f"""
SELECT mark, key, study, id, kind, seq
FROM (SELECT {_MARK} AS mark) AS look LEFT JOIN room ON touched > %s
"""


def lease_time(conn: sa.Connection) -> int:
    """The server's clock, in microseconds since 1970 (UTC): it is the same for all processes."""
    return conn.exec_driver_sql(f"SELECT {NOW}").scalar_one()


def may_name_in_audience(data: sa.ColumnElement[str], member: str) -> sa.ColumnElement[bool]:
    """
    Whether the text of an event's data has no audience, or a member in it; now and then too true.

    Text with the character of code 0 cannot be read as JSON, so that of it nothing is left out.
    """
    audience = sa.cast(data, sa.JSON).op("->>")("audience")
    return sa.or_(
        sa.func.strpos(data, '"audience":[') == 0,
        sa.func.strpos(data, orjson.dumps(member).decode()) > 0,
        sa.case((sa.func.strpos(data, "\\u0000") > 0, sa.true()), else_=audience.is_(None)),
    )
