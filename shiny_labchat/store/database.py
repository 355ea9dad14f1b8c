"""A lab's database file, as each side of the log has it open; noticed when it goes."""

from __future__ import annotations

import logging
import os
import threading

import sqlalchemy as sa

from shiny_labchat.store.migrate import is_current, upgrade
from shiny_labchat.store.sqlite import connect, file_of

__all__ = ["Database", "File"]

logger = logging.getLogger("shiny_labchat")


class File:
    """
    The file of a database; it is made once, and never again behind anybody's back.

    Parameters
    ----------
    url
        The database.
    """

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.path = file_of(url)
        self._name = str(self.path)
        self._was_there = False
        self._lock = threading.Lock()

    @property
    def identity(self) -> tuple[int, int] | None:
        """Which file has the name now; None: there is none."""
        try:
            found = os.stat(self._name)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def prepare(self) -> None:
        """
        Make the file, or bring its schema up to date, where that is needed.

        Raises
        ------
        OSError
            The file was there and has gone.
        SchemaTooNew
            A newer version of this package wrote it.
        """
        with self._lock:
            is_new = self.identity is None
            if is_new and self._was_there:
                raise FileNotFoundError(f"{self.path} has gone")
            if is_new or not is_current(self.url):
                upgrade(self.url)
            if not self._was_there:
                logger.info("the record is %s %s", "made in" if is_new else "in", self.path)
            self._was_there = True


class Database:
    """
    The database as the writer, or as the readers, have it open.

    Parameters
    ----------
    file
        Where it is.
    write
        Whether this is the writer's side.
    """

    def __init__(self, file: File, *, write: bool) -> None:
        self._file = file
        self._write = write
        self._engine: sa.Engine | None = None
        self._identity: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def engine(self) -> sa.Engine:
        """The engine, of the file that has the database's name now; see `File.prepare`."""
        with self._lock:
            if self._engine is not None and self._identity != self._file.identity:
                logger.error("the database %s was replaced or has gone", self._file.path)
                self._dispose()
            if self._engine is None:
                self._file.prepare()
                self._engine = connect(self._file.url, write=self._write)
                self._identity = self._file.identity
            return self._engine

    def forget(self) -> None:
        """Open the file anew next time."""
        with self._lock:
            self._dispose()

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = self._identity = None
