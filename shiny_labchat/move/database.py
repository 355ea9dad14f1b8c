"""The two databases of a move, opened outside of any app."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from shiny_labchat.errors import StoreError
from shiny_labchat.store.choosing import place_of
from shiny_labchat.store.migrate import is_made
from shiny_labchat.store.schema import metadata

__all__ = ["Database", "now"]

T = TypeVar("T")

PASSING = 15.0
"""How long it is tried again to write after what may pass, such as a conflict, in seconds."""
PASSING_PAUSE = 0.05
"""Pause between two such tries, in seconds."""


def now() -> int:
    """The time, in microseconds since 1970 (UTC)."""
    return time.time_ns() // 1000


class Database:
    """
    One of the two databases.

    Parameters
    ----------
    url
        Where it is.
    """

    def __init__(self, url: sa.URL) -> None:
        self.url = url
        self.name = url.render_as_string()
        self._place = place_of(url)
        self._writer: sa.Engine | None = None
        self._readers: sa.Engine | None = None

    def open(self, *, make: bool) -> None:
        """
        Open it, and bring its schema up to date.

        Raises
        ------
        StoreError
            It cannot be opened; or it has no tables of a lab, and none may be made.
        """
        with self._told():
            if self._place.identity is not None:
                self._check_made(make)
            self._place.prepare(make=make)
        self._connect()

    def open_as_it_is(self) -> None:
        """
        Open it, whatever version has made it.

        Raises
        ------
        StoreError
            It cannot be opened, or has no tables of a lab.
        """
        with self._told():
            if self._place.identity is None:
                raise StoreError("store_missing", self.name, _NOTHING)
            self._check_made(make=False)
        self._connect()

    def _connect(self) -> None:
        self._writer = self._place.connect(write=True)
        self._readers = self._place.connect(write=False)

    def _check_made(self, make: bool) -> None:
        engine = self._place.connect(write=False)
        try:
            if is_made(engine):
                return
            if not make:
                raise StoreError("store_missing", self.name, _NOTHING)
            others = sorted({*sa.inspect(engine).get_table_names()} & metadata.tables.keys())
        finally:
            engine.dispose()
        if others:
            why = f"it has a table {others[0]!r} that is not of a lab; name another database"
            raise StoreError("store_broken", self.name, why)

    def close(self) -> None:
        """Close all connections."""
        for engine in (self._writer, self._readers):
            if engine is not None:
                engine.dispose()

    def read(self, job: Callable[[sa.Connection], T]) -> T:
        """Run `job(connection)` on what is stored now."""
        with self.reading() as conn:
            return job(conn)

    @contextmanager
    def reading(self) -> Generator[sa.Connection]:
        """A transaction that reads the database as it is at one moment."""
        assert self._readers is not None
        with self._told(), self._readers.begin() as conn:
            yield conn

    def write(self, job: Callable[[sa.Connection], T]) -> T:
        """Run `job(connection)` in a transaction; again, if what has failed may pass."""
        deadline = time.monotonic() + PASSING
        while True:
            try:
                with self.writing() as conn:
                    return job(conn)
            except StoreError as exc:
                if not self._may_pass(exc) or time.monotonic() >= deadline:
                    raise
            time.sleep(PASSING_PAUSE)

    def _may_pass(self, exc: StoreError) -> bool:
        return exc.code == "store_busy" or (
            exc.__cause__ is not None and self._place.engine.is_passing(exc.__cause__)
        )

    @contextmanager
    def writing(self) -> Generator[sa.Connection]:
        """A transaction that writes."""
        assert self._writer is not None
        with self._told(), self._writer.connect() as conn:
            with self._place.engine.transaction(conn):
                self._place.engine.begin(conn, (), keeps_books=False, rewrites=False)
                yield conn

    @contextmanager
    def _told(self) -> Generator[None]:
        """Raise a driver's error as a `StoreError`."""
        try:
            yield
        except (SQLAlchemyError, OSError) as exc:
            raise self._place.error_of(exc) from exc


_NOTHING = "nothing of a lab has been stored there; correct the URL"
