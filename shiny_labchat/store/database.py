"""A lab's database, opened by the writer and the readers; that it was replaced is noticed."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from shiny_labchat.store.engine import Place

__all__ = ["PASSING", "PASSING_PAUSE", "Database"]

logger = logging.getLogger("shiny_labchat")
T = TypeVar("T")

PASSING = 5.0
"""How long it is tried again after an error that may pass at once, in seconds."""
PASSING_PAUSE = 0.05
"""Pause before it is tried again after such an error, in seconds."""


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

    def read(self, job: Callable[[sa.Connection], T], patience: float = PASSING) -> T:
        """
        Run `job(connection)`, in a transaction that is not used for anything else.

        Parameters
        ----------
        job
            What reads. It is run again if the database has failed; that must do no harm.
        patience
            How long it is tried after an error that may pass at once, in seconds.
        """
        deadline = time.monotonic() + patience
        read: list[T] = []  # what was read counts, also if its transaction cannot be ended
        while not read:
            try:
                with self.engine().begin() as conn:
                    read.append(job(conn))
            except (SQLAlchemyError, OSError) as exc:
                self.forget()
                is_passing = self._place.engine.is_passing(exc)
                if not read and not (is_passing and time.monotonic() < deadline):
                    raise
                time.sleep(PASSING_PAUSE)
        return read[0]

    def forget(self) -> None:
        """Close the connections; the next use opens the database again."""
        with self._lock:
            self._dispose()

    def _dispose(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
        self._engine = self._identity = None
