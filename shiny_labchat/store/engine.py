"""
What the log needs of a database, and SQLite and PostgreSQL do in different ways.

`sqlite` and `postgres` are modules that have these functions; `choosing.engine_of` gives the one
that a connection belongs to. All else is SQLAlchemy Core, and the same for both.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal, NamedTuple, Protocol

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import StoreError

__all__ = [
    "EVER",
    "SEALED",
    "CleanHow",
    "Cleaned",
    "Engine",
    "Moved",
    "Place",
    "Statements",
    "Transactions",
]

EVER = -1
"""Before the first move of any room."""
SEALED = "all of this database moves to "
"""How the sentence begins with which a database refuses that was sealed; see `seal`."""


class Moved(NamedTuple):
    """A room whose head has moved: its number in the database, its key, and its head."""

    number: int
    key: LogKey
    seq: int


class Transactions(Protocol):
    """The transactions of the writer."""

    def transaction(self, conn: sa.Connection) -> AbstractContextManager[None]:
        """A transaction that waits for other processes' locks; any exception undoes it."""
        ...

    def savepoint(self, conn: sa.Connection) -> AbstractContextManager[None]:
        """Undo what was written inside if that fails; the rest of the transaction stays."""
        ...

    def is_in_transaction(self, conn: sa.Connection) -> bool:
        """Whether the transaction can go on: the database has not ended it."""
        ...

    def begin(
        self, conn: sa.Connection, rooms: Collection[int], *, keeps_books: bool, rewrites: bool
    ) -> tuple[Mapping[int, int], int]:
        """
        Begin to write: lock rooms until the transaction ends, in one order.

        Parameters
        ----------
        conn
            The transaction.
        rooms
            The rooms, by their numbers.
        keeps_books
            Whether it writes what is not of these rooms: then no other process does.
        rewrites
            Whether it rewrites events: then no other process adds any until it has ended.

        Returns
        -------
        heads
            The heads of the rooms, by number.
        now
            The time when all is locked, in microseconds since 1970 (UTC).
        """
        ...

    def note_boot(self, conn: sa.Connection) -> None:
        """Store what `lease_time` needs, in the first transaction of a connection."""
        ...

    def version_of(self, conn: sa.Connection) -> int | None:
        """
        A number that changes when another connection has committed; takes no transaction.

        It may be compared only with what the same connection has said before. None: the database
        has none, and `rooms_moved` has to be asked.
        """
        ...

    def is_passing(self, exc: BaseException) -> bool:
        """Whether nothing was stored, and the same may succeed at once on a new connection."""
        ...


class Statements(Protocol):
    """Statements that are written in another way for each database."""

    CLAIMS_ALWAYS: bool
    """Whether rooms have to be claimed before they are written to."""

    def execute(self, conn: sa.Connection, statement: str, values: Sequence[Any] = ()) -> int:
        """Execute a statement with ``?`` for its values; return how many rows it has changed."""
        ...

    def insert(
        self, conn: sa.Connection, table: sa.Table, rows: Sequence[Sequence[Any]], ending: str = ""
    ) -> None:
        """Insert rows that have all columns of a table; `ending`: what follows the values."""
        ...

    def rewrite_events(self, conn: sa.Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Rewrite events; by room and seq, their new members, authors, data and cids."""
        ...

    def append(
        self,
        conn: sa.Connection,
        rows: Sequence[Sequence[Any]],
        moves: Sequence[tuple[int, int, int]],
    ) -> bool:
        """As `queries.append_events`; in one statement, if that saves round trips."""
        ...

    def rooms_moved(self, conn: sa.Connection, since: int) -> tuple[list[Moved], int]:
        """
        The rooms whose heads have moved, and where the next look begins.

        A room may be named again, but none is ever left out. A look costs what has moved, however
        many rooms there are. `since`: what the last look gave; `EVER`: all rooms.
        """
        ...

    def events_beyond(
        self, conn: sa.Connection, heads: Sequence[tuple[int, int]]
    ) -> Sequence[Sequence[Any]]:
        """
        Rows of the events of rooms after a seq each, with the room's number first; in order.

        In one statement, if that saves round trips.
        """
        ...

    def last_moved(self, conn: sa.Connection) -> int:
        """What a look would give now: later moves have a larger `touched`."""
        ...

    def state_of(self, conn: sa.Connection) -> object:
        """What is another one once anything was stored; None: `version_of` says that."""
        ...

    def wait_for_rooms(self, conn: sa.Connection) -> None:
        """Wait until no other process is making rooms, and let none make any until the end."""
        ...

    def take_time(self, conn: sa.Connection) -> None:
        """Have no statement of a transaction given up because it takes long."""
        ...

    def begin_filling(self, conn: sa.Connection) -> None:
        """Let nobody else write to any table until the transaction ends, however long it takes."""
        ...

    def end_filling(self, conn: sa.Connection) -> None:
        """Have later rows, and later moves of rooms, follow those that a move has inserted."""
        ...

    def lease_time(self, conn: sa.Connection) -> int:
        """The time by which leases are measured, in microseconds since 1970 (UTC)."""
        ...

    def may_name_in_audience(
        self, data: sa.ColumnElement[str], member: str
    ) -> sa.ColumnElement[bool]:
        """Whether an event's data has no audience, or a member in it; now and then too true."""
        ...


class Engine(Statements, Transactions, Protocol):
    """All that is of one kind of database only."""


CleanHow = Literal["small", "always"]
"""Whether the whole file is written anew: if it is small, or in any case."""


class Cleaned(NamedTuple):
    """
    Whether nothing of what was deleted is in the database's files any more.

    Attributes
    ----------
    is_vacuumed
        Whether the files were written anew, without the bytes that had been deleted.
    is_emptied
        Whether SQLite's write-ahead log was emptied; somebody who reads can prevent it. That of a
        PostgreSQL server is the server's, and counts as emptied.
    """

    is_vacuumed: bool
    is_emptied: bool

    @property
    def is_clean(self) -> bool:
        """Whether both are so."""
        return self.is_vacuumed and self.is_emptied


class Place(Protocol):
    """Where a database is: a file, or a server."""

    url: sa.URL
    engine: Engine

    @property
    def identity(self) -> object:
        """What is another one when the database was replaced; None: it is not there."""
        ...

    def prepare(self, *, make: bool) -> None:
        """
        Make the database, if it may be made, or bring its schema up to date, if needed.

        Raises
        ------
        StoreError
            There is none, and none may be made; or it is of a newer version.
        """
        ...

    def connect(self, *, write: bool) -> sa.Engine:
        """Connections for the one writer, or for readers."""
        ...

    def keep_short(self, conn: sa.Connection) -> None:
        """Do what has to be done now and then, between two transactions of the writer."""
        ...

    def clean(self, conn: sa.Connection, how: CleanHow, patience: float) -> Cleaned:
        """Take away what was deleted, between two transactions; see `Cleaned`."""
        ...

    def error_of(self, exc: BaseException) -> StoreError:
        """A `StoreError` for a driver's error, with the code that fits it."""
        ...
