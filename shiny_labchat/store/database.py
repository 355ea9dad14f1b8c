"""A lab's database file, opened by the writer and the readers; its loss is noticed."""

from __future__ import annotations

import logging
import os
import threading

import sqlalchemy as sa

from shiny_labchat.errors import StoreError
from shiny_labchat.store.migrate import is_current, upgrade
from shiny_labchat.store.sqlite import connect, file_of

__all__ = ["Database", "File", "note_inherited"]

logger = logging.getLogger("shiny_labchat")


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
            if is_new or not is_current(self.url):
                upgrade(self.url)
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


class Database:
    """
    The open database of the writer, or of the readers.

    Parameters
    ----------
    file
        The database's file.
    write
        Whether the writer uses it, and may make the file.

    Attributes
    ----------
    makes
        Whether the file is made if there is none.
    """

    def __init__(self, file: File, *, write: bool) -> None:
        self.makes = write
        self._file = file
        self._write = write
        self._engine: sa.Engine | None = None
        self._identity: tuple[int, int] | None = None
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether there may be connections."""
        return self._engine is not None

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
                self._file.prepare(make=self.makes)
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
