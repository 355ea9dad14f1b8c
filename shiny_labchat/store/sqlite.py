"""What only SQLite does: connections, transactions, statements, and its errors; see `engine`."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Collection, Generator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache, partial
from itertools import chain
from pathlib import Path
from typing import Any

import orjson
import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import StoreError
from shiny_labchat.store.engine import SEALED, Moved
from shiny_labchat.store.schema import event, room
from shiny_labchat.store.wal import SIZE_KEPT

__all__ = [
    "BUSY_RETRY_DELAY",
    "BUSY_TIMEOUT",
    "CLAIMS_ALWAYS",
    "READERS",
    "append",
    "begin",
    "begin_filling",
    "connect",
    "end_filling",
    "events_beyond",
    "execute",
    "file_of",
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
    "store_error",
    "take_time",
    "transaction",
    "version_of",
    "wait_for_rooms",
]

BUSY_TIMEOUT = 5.0
"""How long a commit waits for another process's lock, in seconds."""
BUSY_RETRY_DELAY = 0.001
"""
Pause between two tries to get the lock, in seconds. SQLite's own pauses grow to 0.1 s. If another
process writes all the time and pauses for less than that, SQLite may never find the lock free.
"""
READERS = 4
"""Threads, each with a connection, that read at the same time."""
ROWS_AT_ONCE = 100
"""Most rows in one statement."""
VALUES_AT_ONCE = 999
"""Most values in one statement: every SQLite allows as many."""
CLAIMS_ALWAYS: bool = False
"""A transaction that writes has the whole database."""


def parse(url: str) -> sa.URL:
    """
    The URL of a lab's database, absolute, so that the same file is the same URL.

    Raises
    ------
    ValueError
        It is not a database URL, or the log cannot be in a database of this kind.
    """
    try:
        parsed = sa.make_url(url)
    except ArgumentError as exc:
        raise ValueError(f"url: {url!r} is not a database URL, such as sqlite:///lab.db") from exc
    if parsed.get_backend_name() != "sqlite":
        kind = parsed.get_backend_name()
        raise ValueError(f"url: {kind!r} is not supported; use sqlite:///FILE, or postgresql://")
    if parsed.database in (None, "", ":memory:"):
        raise ValueError("url: a lab needs a database in a file, such as sqlite:///lab.db")
    return parsed.set(database=str(Path(parsed.database or "").expanduser().resolve()))


def file_of(url: sa.URL) -> Path:
    """
    The file that holds the log.

    Raises
    ------
    ValueError
        The database is not in a file, but on a server.
    """
    if url.get_backend_name() != "sqlite":
        raise ValueError(
            f"{url.render_as_string()} is not a file; a database on a server is copied with the "
            "server's own programs, such as pg_dump"
        )
    return Path(url.database or "")


def connect(
    url: sa.URL,
    *,
    write: bool,
    patience: float = BUSY_TIMEOUT,
    checks_references: bool = True,
) -> sa.Engine:
    """
    An engine for the one writer, or for readers.

    The writer's transactions begin with IMMEDIATE: a deferred one fails, instead of waiting, if
    another process writes when its first write comes. A commit returns when it is on disk
    (synchronous=FULL).

    `patience`: how long a transaction that is begun with SQLAlchemy waits for other processes'
    lock, in seconds. `checks_references`: whether a row that others refer to must stay; an upgrade
    that makes a table anew does not check.
    """
    pool: dict[str, Any] = {"poolclass": sa.StaticPool} if write else {"pool_size": READERS}
    engine = sa.create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False},
        hide_parameters=True,  # an error must not put what people said into the server's log
        **pool,
    )
    begin = partial(_begin_to_write, patience=patience) if write else _begin_to_read

    @sa_event.listens_for(engine, "connect")
    def _(dbapi: sqlite3.Connection, record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=FULL")
        dbapi.execute(f"PRAGMA foreign_keys={'ON' if checks_references else 'OFF'}")
        if write:
            dbapi.execute("PRAGMA secure_delete=ON")  # what is deleted is overwritten
            dbapi.execute("PRAGMA busy_timeout=0")  # from here on, only `_begin_to_write` waits
            dbapi.execute(f"PRAGMA journal_size_limit={SIZE_KEPT}")

    sa_event.listen(engine, "begin", begin)
    return engine


def _begin_to_read(conn: sa.Connection) -> None:
    conn.exec_driver_sql("BEGIN")


def _begin_to_write(conn: sa.Connection, patience: float = BUSY_TIMEOUT) -> None:
    raw = _raw(conn)
    if raw.in_transaction:  # `transaction` has begun it
        return
    deadline = time.monotonic() + patience
    while True:
        try:
            execute(conn, "BEGIN IMMEDIATE")
            return
        except OperationalError as exc:
            is_busy = getattr(exc.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline:
                raise
        time.sleep(BUSY_RETRY_DELAY)


# ── transactions and statements of the writer ──
#
# SQLAlchemy takes longer for each than SQLite does. So what every message needs goes to the driver
# itself. Its errors are SQLAlchemy's, and all else may use SQLAlchemy within the transaction.


@contextmanager
def transaction(conn: sa.Connection) -> Generator[None]:
    """A transaction that waits for other processes' first; after any exception it is undone."""
    _begin_to_write(conn)
    try:
        yield
        if conn.in_transaction():  # SQLAlchemy has taken part
            conn.commit()
        else:
            execute(conn, "COMMIT")
    except BaseException:
        if conn.in_transaction():
            conn.rollback()
        elif _raw(conn).in_transaction:
            execute(conn, "ROLLBACK")
        raise


def execute(conn: sa.Connection, statement: str, values: Sequence[Any] = ()) -> int:
    """Execute a statement; return the number of rows that it has changed."""
    try:
        return _raw(conn).execute(statement, values).rowcount
    except sqlite3.Error as exc:
        raise DBAPIError.instance(statement, values, exc, sqlite3.Error, True) from exc


def version_of(conn: sa.Connection) -> int:
    """
    A number that changes when another connection has committed; takes no transaction.

    It may be compared only with what the same connection has said before.
    """
    return _raw(conn).execute("PRAGMA data_version").fetchone()[0]


def begin(
    conn: sa.Connection, rooms: Collection[int], *, keeps_books: bool, rewrites: bool
) -> tuple[Mapping[int, int], int]:
    """As `Transactions.begin`: the transaction keeps all others out already."""
    heads = {number: conn.execute(_HEAD, {"number": number}).scalar_one() for number in rooms}
    return heads, time.time_ns() // 1000


_HEAD = sa.select(room.c.seq).where(room.c.key == sa.bindparam("number"))


@contextmanager
def savepoint(conn: sa.Connection) -> Generator[None]:
    """
    Undo what was written inside if that fails; the rest of the transaction stays as it is.

    A full disk may end the whole transaction: then there is none any more, see `is_in_transaction`.
    """
    raw = _raw(conn)
    raw.execute("SAVEPOINT job")
    try:
        yield
    except BaseException:
        if raw.in_transaction:
            raw.execute("ROLLBACK TO job")
            raw.execute("RELEASE job")
        raise
    raw.execute("RELEASE job")


def is_in_transaction(conn: sa.Connection) -> bool:
    """Whether the database still has the transaction."""
    return _raw(conn).in_transaction


def is_passing(exc: BaseException) -> bool:
    """Nothing is: whoever has the lock was waited for."""
    return False


def _raw(conn: sa.Connection) -> sqlite3.Connection:
    raw = conn.connection.driver_connection
    assert isinstance(raw, sqlite3.Connection)
    return raw


# ── the time of leases ──
#
# A process that counts as ended by mistake is a message handled twice. So leases do not run on the
# clock, which may be set, but on the time since the machine was started. That is a time since 1970
# (UTC) as well: what the clock said at the start is stored, once for all processes.


def note_boot(conn: sa.Connection) -> None:
    """Store when the machine was started, unless that is known; in a transaction that writes."""
    boot = _boot()
    if boot is not None and _began(conn, boot) is None:
        execute(conn, "DELETE FROM boot")
        execute(conn, "INSERT INTO boot (id, began) VALUES (?, ?)", (boot, _clock() - _uptime()))


def lease_time(conn: sa.Connection) -> int:
    """
    The time by which leases are measured, in microseconds since 1970 (UTC).

    It never jumps, whatever becomes of the clock. It is the clock's time where the system does not
    say which start of the machine this is (all but Linux), and until `note_boot`.
    """
    boot = _boot()
    began = None if boot is None else _began(conn, boot)
    return _clock() if began is None else began + _uptime()


@lru_cache(1)
def _boot() -> str | None:
    """What this start of the machine is called; None: the system does not say."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return None


def _began(conn: sa.Connection, boot: str) -> int | None:
    row = _raw(conn).execute("SELECT began FROM boot WHERE id = ?", (boot,)).fetchone()
    return None if row is None else row[0]


def _clock() -> int:
    return time.time_ns() // 1000


def _uptime() -> int:
    return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1000


_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


# ── statements ──


def insert(
    conn: sa.Connection, table: sa.Table, rows: Sequence[Sequence[Any]], ending: str = ""
) -> None:
    """
    Insert rows that have all columns of a table; `ending`: what follows the values.

    One statement has many rows: after each statement another thread may take the interpreter, and
    waiting to get it back costs more than a row.
    """
    columns, values = _insertion(table)
    at_once = min(ROWS_AT_ONCE, VALUES_AT_ONCE // len(table.c))
    for start in range(0, len(rows), at_once):
        some = rows[start : start + at_once]
        statement = f"{columns}{','.join([values] * len(some))} {ending}"
        execute(conn, statement, tuple(chain.from_iterable(some)))


@lru_cache(16)
def _insertion(table: sa.Table) -> tuple[str, str]:
    names = table.c.keys()
    return (
        f"INSERT INTO {table.name} ({', '.join(names)}) VALUES ",
        f"({','.join('?' * len(names))})",
    )


def rewrite_events(conn: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
    """As `Statements.rewrite_events`."""
    for number, seq, *values in rows:
        execute(conn, _REWRITE, (*values, number, seq))


_REWRITE = "UPDATE event SET member = ?, author = ?, data = ?, cid = ? WHERE room = ? AND seq = ?"


def append(
    conn: sa.Connection, rows: Sequence[Sequence[Any]], moves: Sequence[tuple[int, int, int]]
) -> bool:
    """As `queries.append_events`; a trigger sets `touched`."""
    insert(conn, event, rows)
    moved = [execute(conn, _MOVE_HEAD, (head, number, was)) for number, was, head in moves]
    return sum(moved) == len(moves)


_MOVE_HEAD = "UPDATE room SET seq = ? WHERE key = ? AND seq = ?"


def rooms_moved(conn: sa.Connection, since: int) -> tuple[list[Moved], int]:
    """As `Statements.rooms_moved`; `touched` is larger than that of all rooms that moved before."""
    rows = conn.exec_driver_sql(_MOVED, (since,)).fetchall()
    moved = [Moved(number, LogKey(*key), seq) for number, *key, seq, _ in rows]
    return moved, rows[-1][-1] if rows else since


def events_beyond(conn: sa.Connection, heads: Sequence[tuple[int, int]]) -> Sequence[Sequence[Any]]:
    """As `Statements.events_beyond`."""
    return [row for head in heads for row in conn.exec_driver_sql(_BEYOND, head)]


def last_moved(conn: sa.Connection) -> int:
    """What a look would give now."""
    return conn.exec_driver_sql("SELECT coalesce(max(touched), 0) FROM room").scalar_one()


def state_of(conn: sa.Connection) -> None:
    """None: `version_of` says more."""


def wait_for_rooms(conn: sa.Connection) -> None:
    """Nothing: the transaction keeps all others out already."""


def take_time(conn: sa.Connection) -> None:
    """Nothing: there is no limit."""


def begin_filling(conn: sa.Connection) -> None:
    """Nothing: the transaction keeps all others out already, and may take its time."""


def end_filling(conn: sa.Connection) -> None:
    """Nothing: new rows and `touched` are counted from the largest that there is."""


def may_name_in_audience(data: sa.ColumnElement[str], member: str) -> sa.ColumnElement[bool]:
    """
    Whether the text of an event's data has no audience, or a member in it; now and then too true.

    Text is searched first, as JSON takes longer to read.
    """
    return sa.or_(
        sa.func.instr(data, '"audience":[') == 0,
        sa.func.instr(data, orjson.dumps(member).decode()) > 0,
        sa.func.json_extract(data, "$.audience").is_(None),
    )


_BEYOND = """
SELECT room, seq, at, kind, member, data, cid FROM event WHERE room = ? AND seq > ? ORDER BY seq
"""
_MOVED = "SELECT key, study, id, kind, seq, touched FROM room WHERE touched > ? ORDER BY touched"


def store_error(url: sa.URL, exc: BaseException) -> StoreError:
    """A `StoreError` for a driver's error, with the code that fits it."""
    if isinstance(exc, StoreError):
        return exc
    reason = str(getattr(exc, "orig", None) or exc)
    return StoreError(_code_of(url, reason), url.render_as_string(), reason)


def _code_of(url: sa.URL, reason: str) -> str:
    if reason.startswith(SEALED):
        return "store_moved"
    said = reason.lower()
    if not os.path.exists(file_of(url)) or "unable to open" in said:
        return "store_gone"
    if "locked" in said or "busy" in said:
        return "store_busy"
    if "full" in said or "disk i/o" in said:
        return "store_full"
    if "readonly" in said or "read-only" in said:
        return "store_read_only"
    return "store_broken"
