"""A lab's database in a file of SQLite; its loss is noticed."""

from __future__ import annotations

import logging
import os
import sqlite3
import threading

import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from shiny_labchat.errors import StoreError
from shiny_labchat.store import sqlite
from shiny_labchat.store.engine import Cleaned, CleanHow, Engine
from shiny_labchat.store.migrate import is_current, upgrade
from shiny_labchat.store.wal import WriteAheadLog

__all__ = ["SMALL", "File", "note_inherited"]

logger = logging.getLogger("shiny_labchat")

UPGRADE_TIMEOUT = 30.0
"""
How long the schema's upgrade waits for another process's lock, in seconds. As a rule that process
upgrades it, and several may have been started at once on a busy machine.
"""
SMALL = 32_000_000
"""Size up to which the file is written anew without being asked, in bytes: it takes a second."""

_INHERITED = (
    "this process was forked from one that has the database open, and what it stores could be "
    "lost; start it with multiprocessing's method 'spawn', or fork before a lab is used"
)
_inherited: set[sa.URL] = set()
"""
The databases that the parent of this process had open when it forked.

SQLite keeps the locks of a process in its memory. A child takes them for its own, and so does not
take them in truth. When its parent closes the database, the file of what the child writes is
deleted under it.
"""


def note_inherited(url: sa.URL) -> None:
    """Note that the parent of this process had a database open when it forked."""
    _inherited.add(url)


class File:
    """
    The file of a database. It is made once; if it disappears later, that is an error.

    Parameters
    ----------
    url
        The database.

    Attributes
    ----------
    path
        The file.
    """

    engine: Engine = sqlite

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.path = sqlite.file_of(url)
        self._name = str(self.path)
        self._was_there = False
        self._lock = threading.Lock()
        self._wal = WriteAheadLog(self.path)

    @property
    def identity(self) -> tuple[int, int] | None:
        """The device and inode of the file that has the name now; None: there is none."""
        try:
            found = os.stat(self._name)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def prepare(self, *, make: bool) -> None:
        """
        Make the file, if it may be made, or bring its schema up to date, if needed.

        Raises
        ------
        OSError
            The file existed before and is gone.
        StoreError
            There is no file, and none may be made, or there is no folder for it; or the database
            was open when this process was forked.
        SchemaTooNew
            A newer version of this package wrote it.
        """
        if self.url in _inherited:
            raise StoreError("store_broken", self.url.render_as_string(), _INHERITED)
        with self._lock:
            is_new = self.identity is None
            if is_new and self._was_there:
                raise FileNotFoundError(
                    f"{self.path} is gone; put it back, or restart the server to make a new one"
                )
            if is_new:
                self._check_makeable(make)
            if is_new or not self._is_current():
                self._upgrade()
            if not self._was_there:
                logger.info("the record is %s %s", "made in" if is_new else "in", self.path)
            self._was_there = True

    def _check_makeable(self, make: bool) -> None:
        url, folder = self.url.render_as_string(), self.path.parent
        if not folder.is_dir():
            why = f"there is no folder {folder}; make it, or correct the URL"
            raise StoreError("store_missing", url, why)
        if not make:
            why = "nothing has been stored there yet; correct the URL, or store something first"
            raise StoreError("store_missing", url, why)

    def _is_current(self) -> bool:
        engine = self.connect(write=False)
        try:
            return is_current(engine, or_newer=self._was_there)
        finally:
            engine.dispose()

    def _upgrade(self) -> None:
        engine = sqlite.connect(
            self.url, write=True, patience=UPGRADE_TIMEOUT, checks_references=False
        )
        try:
            upgrade(engine)
        finally:
            engine.dispose()

    def connect(self, *, write: bool) -> sa.Engine:
        """Connections for the one writer, or for readers."""
        return sqlite.connect(self.url, write=write)

    def keep_short(self, conn: sa.Connection) -> None:
        """Empty the write-ahead log, if it is long."""
        self._wal.keep_short(conn)

    def clean(self, conn: sa.Connection, how: CleanHow, patience: float) -> Cleaned:
        """
        Take away what was deleted, between two transactions; see `Cleaned`.

        `secure_delete` overwrites what is deleted where it stands. When a page of a tree is full,
        SQLite has moved some of its rows to another page, and where these stood before, their bytes
        stay until other rows come there. Only VACUUM, which writes the whole file anew, takes these
        away.
        """
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        is_vacuumed = how == "always" or self.path.stat().st_size <= SMALL
        raw.execute(f"PRAGMA busy_timeout={round(1000 * patience)}")
        try:
            if is_vacuumed:
                raw.execute("VACUUM")
            is_busy, *_ = raw.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode & 0xFF not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
                raise DBAPIError.instance("VACUUM", (), exc, sqlite3.Error) from exc
            return Cleaned(False, False)
        finally:
            raw.execute("PRAGMA busy_timeout=0")
        return Cleaned(is_vacuumed, not is_busy)

    def error_of(self, exc: BaseException) -> StoreError:
        """A `StoreError` for a driver's error, with the code that fits it."""
        return sqlite.store_error(self.url, exc)
