"""When the writer looks for what other processes have stored, and who is told of it."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Collection, Mapping

import sqlalchemy as sa
from sqlalchemy.exc import SQLAlchemyError

from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import StoreError
from shiny_labchat.store.database import Database
from shiny_labchat.store.engine import Place
from shiny_labchat.store.heads import Heads
from shiny_labchat.store.hearing import Heard, Hearing
from shiny_labchat.store.loading import HeadLoader, Loaded
from shiny_labchat.store.telling import Listeners

__all__ = ["POLL", "Others"]

logger = logging.getLogger("shiny_labchat")

POLL = 0.05
"""How often the writer looks for commits of other processes, in seconds."""
LOOK_PAUSE = 0.01
"""Shortest time between two looks that a bus asks for, in seconds."""
BUSY = 0.45
"""How much longer than `POLL` it waits if it has commands of its own, in seconds."""
RING_PAUSE = 1.0
"""
Pause between two calls of those who overhear other processes, where the database does not say
whether these have written anything but events, in seconds.
"""
RETRY_DELAY = 1.0
"""Pause before it looks for others' commits again after that failed, in seconds."""


class Others:
    """
    The other processes that write the same database. All but `look` is for the writer's thread.

    Parameters
    ----------
    place
        The database.
    readers
        It, as it is opened to be read.
    heads, loader
        The rooms as this process knows them, and what reads those that it does not.
    listeners
        They are told of news.
    connect, forget
        Give the writer's connection, and close all connections after a failure.

    Attributes
    ----------
    poll
        How often it looks, in seconds.
    are_any
        Whether others have written since this process has the database open, as far as a file
        tells.
    wrote_at
        When a transaction last found that they had, by the monotonic clock.
    """

    def __init__(
        self,
        place: Place,
        readers: Database,
        heads: Heads,
        loader: HeadLoader,
        listeners: Listeners,
        connect: Callable[[], sa.Connection],
        forget: Callable[[], None],
    ) -> None:
        self.poll = POLL
        self.are_any = False
        self.wrote_at = float("-inf")
        self._place = place
        self._engine = place.engine
        self._readers = readers
        self._loader = loader
        self._listeners = listeners
        self._is_open = False
        self._connect = connect
        self._forget = forget
        self._hearing = Hearing(heads)
        self._looking: sa.Connection | None = None
        self._version: int | None = None
        self._unheard: set[LogKey] = set()
        self._moved_on: set[LogKey] = set()
        self._lock = threading.Lock()
        self._must_look = False
        self._named: dict[LogKey, int] = {}
        self._are_all_named = False
        self._looked_at = 0.0
        self._listen_at = 0.0
        self._ring_at = 0.0
        self._is_to_ring = False
        self._trouble = ""

    # ── the connections ──

    def opened(self) -> None:
        """Note that the writer has opened the database, and has a connection of its own next."""
        with self._readers.engine().begin() as conn:
            self._hearing.open(conn)
        self._loader.reopened()
        self._version = None  # it may be compared only within a connection
        self._is_open = True

    def close(self) -> None:
        """Close the connection that it has of its own; the writer has closed its one."""
        self._is_open = False
        if self._looking is not None:  # a pool closes only what is not in use
            self._looking.invalidate()
            self._looking.close()
        self._looking = None

    def have_written(self, conn: sa.Connection, rooms: Collection[LogKey]) -> bool:
        """Whether others may have written in some rooms, as a transaction of the writer finds."""
        version = self._engine.version_of(conn)
        if version is None or version == self._version:
            return False
        self._note()
        self.wrote_at = time.monotonic()
        return self._hearing.are_behind(conn, rooms)

    # ── when to look ──

    def look(self, rooms: Mapping[LogKey, int] | None) -> bool:
        """
        Note, in any thread, that it has to look soon; whether nobody has asked for that before.

        Others have written in these rooms, up to these seqs at least; None: in any.
        """
        with self._lock:
            self._named.update(rooms or {})
            self._are_all_named = self._are_all_named or rooms is None
            is_first, self._must_look = not self._must_look, True
        return is_first

    def pause(self) -> float:
        """How long the writer may wait for work before it looks."""
        if not self._must_look:
            return self.poll
        return max(0.0, self._looked_at + LOOK_PAUSE - time.monotonic())

    def hear_if_due(self, *, is_busy: bool) -> None:
        """Announce what others have committed, if anybody listens and it is time to look."""
        if not self._listeners.are_any:
            self._must_look = False
        elif time.monotonic() >= self._next_look(is_busy=is_busy):
            self._hear()

    def _next_look(self, *, is_busy: bool) -> float:
        if self._must_look:
            return self._looked_at + LOOK_PAUSE
        return self._listen_at + BUSY * is_busy

    # ── looking ──

    def _hear(self) -> None:
        """Announce what they have committed; takes 5 µs if there is nothing."""
        named = self._take_named()
        self._looked_at = time.monotonic()
        if named is not None and self._looked_at < self._listen_at and self._hear_of(named):
            return
        try:
            version = self._engine.version_of(self._connect())
            if version is None or version != self._version:
                self._note()
                heard = self._missed()
                if version is not None or heard.are_others:
                    self._ring()
                else:
                    self._ring_later(heard.is_moved)
                self._version = version
            self._listen_at = time.monotonic() + self.poll
            self._trouble = ""
        except (SQLAlchemyError, OSError, StoreError) as exc:
            trouble = f"cannot read other processes' commits, retrying: {self._place.error_of(exc)}"
            if trouble != self._trouble:
                logger.error(trouble)
            self._trouble = trouble
            self._forget()
            self._listen_at = time.monotonic() + RETRY_DELAY

    def _take_named(self) -> Mapping[LogKey, int] | None:
        """The rooms that `look` was called with; None: any."""
        with self._lock:
            named, self._named = self._named, {}
            are_all, self._are_all_named = self._are_all_named or not self._must_look, False
            self._must_look = False
        return None if are_all else named

    def _hear_of(self, named: Mapping[LogKey, int]) -> bool:
        """
        Announce what others have committed in rooms that they have named; False: look at all.

        Where a number says whether they have committed anything, that is as fast.
        """
        wanted = {key: seq for key, seq in named.items() if key in self._listeners.watched}
        try:
            if not self._is_open or self._engine.version_of(self._connect()) is not None:
                return False
            heard = self._hearing.hear_of(self._look_with(), wanted)
        except (SQLAlchemyError, OSError, StoreError):
            self._forget()
            return False
        self._load_unknown(heard)
        self._listeners.tell((), heard.news)
        self._ring()
        return not heard.are_left

    def _look_with(self) -> sa.Connection:
        """A connection of the readers for single statements, which are no transactions."""
        engine = self._readers.engine()
        if self._looking is None or self._looking.engine is not engine:
            self._looking = engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        return self._looking

    def _missed(self) -> Heard:
        """Announce the news of all watched rooms."""
        with self._readers.engine().begin() as conn:
            heard = self._hearing.hear(conn, self._listeners.watched)
            self._load_unknown(heard)
            # They count as heard, also if the transaction cannot end.
            self._listeners.tell((), heard.news)
        return heard

    def _note(self) -> None:
        """Note that others have written, if it is not the first look of a connection."""
        self.are_any = self.are_any or self._version is not None

    def _ring_later(self, is_moved: bool) -> None:
        """Call those who overhear others soon, if these may have written something else."""
        if is_moved:
            self._is_to_ring = True
        if self._is_to_ring and time.monotonic() >= self._ring_at:
            self._ring()

    def _ring(self) -> None:
        self._ring_at = time.monotonic() + RING_PAUSE
        self._is_to_ring = False
        self._listeners.ring()

    # ── rooms of which nothing is known ──

    def _load_unknown(self, heard: Heard) -> None:
        """Have the rooms read of which nothing is known."""
        self._moved_on.update(filter(self._loader.is_loading, heard.unknown))
        self._unheard.update(heard.unknown)
        for key in self._unheard:
            self._loader.load(key)

    def loaded(self, loaded: Loaded) -> bool:
        """Note that a room was read; whether others have stored more since, so `look` is needed."""
        self._unheard.discard(loaded.key)
        has_moved_on = loaded.key in self._moved_on
        self._moved_on.discard(loaded.key)
        if has_moved_on:
            self._hearing.hear_again(loaded.key)
        return has_moved_on
