"""A lab's database, opened by the writer and the readers; that it was replaced is noticed."""

from __future__ import annotations

import logging
import threading

import sqlalchemy as sa

from shiny_labchat.store.engine import Place

__all__ = ["Database"]

logger = logging.getLogger("shiny_labchat")


class Database:
    """
    The open database of the writer, or of the readers.

    Parameters
    ----------
    place
        Where it is.
    write
        Whether the writer uses it, and may make it.

    Attributes
    ----------
    makes
        Whether the database is made if there is none.
    """

    def __init__(self, place: Place, *, write: bool) -> None:
        self.makes = write
        self._place = place
        self._write = write
        self._engine: sa.Engine | None = None
        self._identity: object = None
        self._lock = threading.Lock()

    @property
    def is_open(self) -> bool:
        """Whether there may be connections."""
        return self._engine is not None

    def engine(self) -> sa.Engine:
        """An engine for the database that is there now; see `Place.prepare`."""
        with self._lock:
            if self._engine is not None and self._identity != self._place.identity:
                logger.error(
                    "the database %s was replaced or deleted; it is opened again if it is there",
                    self._place.url.render_as_string(),
                )
                self._dispose()
            if self._engine is None:
                self._place.prepare(make=self.makes)
                self._engine = self._place.connect(write=self._write)
                self._identity = self._place.identity
            return self._engine

    def forget(self) -> None:
        """Close the connections; the next use opens the database again."""
        with self._lock:
            self._dispose()

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = self._identity = None
