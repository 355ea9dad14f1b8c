"""Backups of an SQLite database, and putting one back in its place."""

from __future__ import annotations

import os
import sqlite3
import stat
from collections.abc import Callable, Generator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from shiny_labchat.errors import StoreError
from shiny_labchat.store.migrate import SCHEMA

__all__ = ["Contents", "back_up", "contents_of", "put_in_place", "remove", "unpack", "unused"]

PAGES_AT_ONCE = 2_000
"""How many pages are copied before it is said how far it is."""

Progress = Callable[[int, int], None]
"""Is told how many pages are copied, and of how many."""


class Contents(NamedTuple):
    """
    What is in a database.

    Attributes
    ----------
    rows
        By table, the number of its rows.
    newest
        When its last event was, in microseconds since 1970 (UTC); 0: it has none.
    """

    rows: dict[str, int]
    newest: int


def back_up(source: Path, target: Path, progress: Progress) -> Contents:
    """
    Copy a database as it is at one moment, while it may be in use, and check the copy.

    Raises
    ------
    FileExistsError
        The target is there already.
    StoreError
        The copy is not what the database is.
    """
    if target.exists():
        raise FileExistsError(f"{target} is there already; name a new file, so that none is lost")
    if not target.parent.is_dir():
        raise FileNotFoundError(f"there is no folder {target.parent}")
    part = target.with_name(f".{target.name}.part")
    try:
        with _reading(source) as conn:
            contents = _contents(conn)
            _copy(conn, part, progress)
        if contents_of(part) != contents:
            raise StoreError("store_broken", str(target), "the copy has other rows")
        os.replace(part, target)
        _sync(target.parent)
    finally:
        remove(part)
    return contents


def contents_of(path: Path) -> Contents:
    """
    What is in a database that is whole.

    Raises
    ------
    StoreError
        It is no database of a lab, a newer version wrote it, or it is damaged.
    """
    try:
        with _reading(path) as conn:
            _check(conn, path)
            return _contents(conn)
    except sqlite3.Error as exc:
        raise StoreError("store_broken", str(path), str(exc)) from exc


def unpack(backup: Path, target: Path, progress: Progress) -> Path:
    """
    Copy a backup beside the database whose place it is to take.

    Returns
    -------
    Path
        The copy.
    """
    part = target.with_name(f"{target.name}.restoring")
    remove(part)
    try:
        with _reading(backup) as conn:
            _copy(conn, part, progress)
    except BaseException:
        remove(part)
        raise
    return part


def unused(path: Path) -> None:
    """
    Make sure that nobody has a database open, and that all of it is in its one file.

    A file that is damaged, or no database, is nobody's any more.

    Raises
    ------
    StoreError
        ``store_busy``: somebody has it open. ``store_broken``: it cannot be read.
    """
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=0.2, isolation_level=None)) as conn:
        try:
            conn.execute("PRAGMA locking_mode=EXCLUSIVE")
            conn.execute("BEGIN EXCLUSIVE")
            conn.execute("COMMIT")
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        except sqlite3.DatabaseError as exc:
            code = exc.sqlite_errorcode & 0xFF
            if code in (sqlite3.SQLITE_NOTADB, sqlite3.SQLITE_CORRUPT):
                return
            if code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise StoreError("store_broken", str(path), str(exc)) from exc
            raise StoreError("store_busy", str(path), "it is in use; stop the app first") from exc


def put_in_place(part: Path, target: Path) -> None:
    """
    Have a copy take the place of a database, at once, with its owner, group and mode.

    Raises
    ------
    StoreError
        ``store_busy``: somebody has the database open.
    """
    unused(part)
    unused(target)
    for mark in ("-wal", "-shm"):  # of a database that was not closed; all of it is in the file
        for path in (part, target):
            path.with_name(path.name + mark).unlink(missing_ok=True)
    if target.exists():
        _let_same_use(part, target)
    os.replace(part, target)
    _sync(target.parent)


def _let_same_use(part: Path, target: Path) -> None:
    """Let the same people use a copy as the database, as far as its owner may say so."""
    before = target.stat()
    with suppress(PermissionError):
        os.chown(part, before.st_uid, before.st_gid)
    part.chmod(stat.S_IMODE(before.st_mode))


@contextmanager
def _reading(path: Path) -> Generator[sqlite3.Connection]:
    """A transaction that reads a database as it is at one moment."""
    if not path.exists():
        raise FileNotFoundError(f"there is no file {path}")
    uri = f"{path.resolve().as_uri()}?mode=ro"
    with closing(sqlite3.connect(uri, uri=True, isolation_level=None)) as conn:
        conn.execute("BEGIN")
        conn.execute("SELECT count(*) FROM sqlite_master").fetchone()
        yield conn


def _copy(conn: sqlite3.Connection, part: Path, progress: Progress) -> None:
    os.close(os.open(part, os.O_CREAT | os.O_WRONLY | os.O_TRUNC, 0o600))

    def tell(status: int, remaining: int, total: int) -> None:
        progress(total - remaining, total)

    with closing(sqlite3.connect(part, isolation_level=None)) as copy:
        conn.backup(copy, pages=PAGES_AT_ONCE, progress=tell, sleep=0)
        copy.execute("PRAGMA journal_mode=DELETE")  # so that it is one file
    _sync(part)


def _check(conn: sqlite3.Connection, path: Path) -> None:
    tables = {name for (name,) in conn.execute("SELECT name FROM sqlite_master")}
    if not {"labchat_version", "event", "room"} <= tables:
        raise StoreError("store_broken", str(path), "it is no database of shiny_labchat")
    [version] = conn.execute("SELECT version_num FROM labchat_version").fetchone()
    if version > SCHEMA:
        why = f"its schema is {version}, this version knows {SCHEMA}; install a newer one"
        raise StoreError("store_broken", str(path), why)
    [found] = conn.execute("PRAGMA integrity_check(1)").fetchone()
    if found != "ok":
        raise StoreError("store_broken", str(path), found)


def _contents(conn: sqlite3.Connection) -> Contents:
    named = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
    tables = sorted(name for (name,) in conn.execute(named))
    if "event" not in tables:
        raise StoreError("store_broken", "the file", "it is no database of shiny_labchat")
    rows = {name: conn.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}
    newest = conn.execute("SELECT coalesce(max(at), 0) FROM event").fetchone()[0]
    return Contents(rows, newest)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def remove(part: Path) -> None:
    """Remove a copy that takes no place, with the files that SQLite has made beside it."""
    for mark in ("", "-wal", "-shm", "-journal"):
        part.with_name(part.name + mark).unlink(missing_ok=True)
