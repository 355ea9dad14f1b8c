"""Connections to a lab's SQLite database, and its errors."""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from sqlalchemy.exc import ArgumentError, OperationalError

from shiny_labchat.errors import StoreError

__all__ = [
    "BUSY_RETRY_DELAY",
    "BUSY_TIMEOUT",
    "READERS",
    "connect",
    "file_of",
    "parse",
    "store_error",
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
        raise ValueError(f"url: {parsed.get_backend_name()!r} is not supported; use sqlite:///FILE")
    if parsed.database in (None, "", ":memory:"):
        raise ValueError("url: a lab needs a database in a file, such as sqlite:///lab.db")
    return parsed.set(database=str(Path(parsed.database or "").expanduser().resolve()))


def file_of(url: sa.URL) -> Path:
    """The file that holds the log."""
    return Path(url.database or "")


def connect(url: sa.URL, *, write: bool) -> sa.Engine:
    """
    An engine for the one writer, or for readers.

    The writer's transactions begin with IMMEDIATE: a deferred one fails, instead of waiting, if
    another process writes when its first write comes. A commit returns when it is on disk
    (synchronous=FULL).
    """
    pool: dict[str, Any] = {"poolclass": sa.StaticPool} if write else {"pool_size": READERS}
    engine = sa.create_engine(
        url,
        connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None, "check_same_thread": False},
        **pool,
    )
    begin = _begin_to_write if write else _begin_to_read

    @sa_event.listens_for(engine, "connect")
    def _(dbapi: sqlite3.Connection, record: object) -> None:  # pyright: ignore[reportUnusedFunction]
        dbapi.execute("PRAGMA journal_mode=WAL")
        dbapi.execute("PRAGMA synchronous=FULL")
        dbapi.execute("PRAGMA foreign_keys=ON")
        if write:
            dbapi.execute("PRAGMA busy_timeout=0")  # from here on, only `_begin_to_write` waits

    sa_event.listen(engine, "begin", begin)
    return engine


def _begin_to_read(conn: sa.Connection) -> None:
    conn.exec_driver_sql("BEGIN")


def _begin_to_write(conn: sa.Connection) -> None:
    deadline = time.monotonic() + BUSY_TIMEOUT
    while True:
        try:
            conn.exec_driver_sql("BEGIN IMMEDIATE")
            return
        except OperationalError as exc:
            is_busy = getattr(exc.orig, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY
            if not is_busy or time.monotonic() >= deadline:
                raise
        time.sleep(BUSY_RETRY_DELAY)


def store_error(url: sa.URL, exc: BaseException) -> StoreError:
    """A `StoreError` for a driver's error, with the code that fits it."""
    if isinstance(exc, StoreError):
        return exc
    reason = str(getattr(exc, "orig", None) or exc)
    return StoreError(_code_of(url, reason), url.render_as_string(), reason)


def _code_of(url: sa.URL, reason: str) -> str:
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
