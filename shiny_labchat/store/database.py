"""A lab's database file, opened by the writer and the readers; its loss is noticed."""

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
    The file of a database. It is made once; if it disappears later, that is an error.

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
        """The device and inode of the file that has the name now; None: there is none."""
        try:
            found = os.stat(self._name)
        except OSError:
            return None
        return found.st_dev, found.st_ino

    def prepare(self) -> None:
        """
        Make the file, or bring its schema up to date, if needed.

        Raises
        ------
        OSError
            The file existed before and is gone.
        SchemaTooNew
            A newer version of this package wrote it.
        """
        with self._lock:
            is_new = self.identity is None
            if is_new and self._was_there:
                raise FileNotFoundError(
                    f"{self.path} is gone; put it back, or restart the server to make a new one"
                )
            if is_new or not is_current(self.url):
                upgrade(self.url)
            if not self._was_there:
                logger.info("the record is %s %s", "made in" if is_new else "in", self.path)
            self._was_there = True


class Database:
    """
    The open database of the writer, or of the readers.

    Parameters
    ----------
    file
        The database's file.
    write
        Whether the writer uses it.
    """

    def __init__(self, file: File, *, write: bool) -> None:
        self._file = file
        self._write = write
        self._engine: sa.Engine | None = None
        self._identity: tuple[int, int] | None = None
        self._lock = threading.Lock()

    def engine(self) -> sa.Engine:
        """An engine for the file that has the database's name now; see `File.prepare`."""
        with self._lock:
            if self._engine is not None and self._identity != self._file.identity:
                logger.error(
                    "the database %s was replaced or deleted; it is opened again if it is there",
                    self._file.path,
                )
                self._dispose()
            if self._engine is None:
                self._file.prepare()
                self._engine = connect(self._file.url, write=self._write)
                self._identity = self._file.identity
            return self._engine

    def forget(self) -> None:
        """Close the connections; the next use opens the file again."""
        with self._lock:
            self._dispose()

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = self._identity = None
