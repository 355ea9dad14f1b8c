"""The logs of studies and lobbies that are followed in one event loop."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import reduce

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.logs import State, empty_state, fold_any
from shiny_labchat.domain.withdrawal import changes_the_past
from shiny_labchat.store import Committed, Log, event_at, events_after, find_room
from shiny_labchat.store.heads import load_head

__all__ = ["LiveLog", "LiveLogs"]

logger = logging.getLogger("shiny_labchat")

Follower = Callable[[], None]
"""Is called when the state is another one."""


class LiveLog:
    """
    The state of a study or lobby, as it is on disk now.

    Parameters
    ----------
    key
        The key of the log.
    on_unused
        Called when nobody follows it any more.

    Attributes
    ----------
    key
        As given.
    state
        The state; of a log that is not there yet, the empty one.
    """

    def __init__(self, key: LogKey, on_unused: Callable[[LiveLog], None]) -> None:
        self.key = key
        self.state: State = empty_state(key.kind)
        self._on_unused = on_unused
        self._followers: list[Follower] = []

    def follow(self, follower: Follower) -> Callable[[], None]:
        """Call `follower` whenever the state changes; return a function that ends this."""
        self._followers.append(follower)

        def end() -> None:
            if follower in self._followers:
                self._followers.remove(follower)
                if not self._followers:
                    self._on_unused(self)

        return end

    def take(self, state: State) -> None:
        """Take a state that was stored or read, unless a newer one is known."""
        is_same_log = self.state.seed in ("", state.seed)
        if is_same_log and state.seq <= self.state.seq:
            return
        self.state = state
        for follower in tuple(self._followers):
            try:
                follower()
            except Exception:
                logger.exception("a follower of %s %r failed", self.key.kind, self.key.id)


class LiveLogs:
    """
    The logs of studies and lobbies that somebody follows.

    Parameters
    ----------
    log
        The log of the database.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._live: dict[LogKey, LiveLog] = {}

    async def follow(self, key: LogKey, follower: Follower) -> tuple[LiveLog, Callable[[], None]]:
        """
        Follow a log; return it as it is now, and a function that ends this.

        Raises
        ------
        StoreError
            It could not be read.
        """
        live = self._live.get(key)
        if live is None:
            live = self._live[key] = LiveLog(key, self._forget)
            self._log.watch(key)
        end = live.follow(follower)
        try:
            live.take(await self._log.read(lambda conn: _read(conn, key)))
        except BaseException:
            end()
            raise
        return live, end

    async def read(self, key: LogKey) -> State:
        """
        The state of a log as it is on disk now; of a log that is not there, the empty one.

        Of a log that is followed, only the news are read.

        Raises
        ------
        StoreError
            It could not be read.
        """
        live = self._live.get(key)
        known = None if live is None else live.state
        return await self._log.read(lambda conn: _read_after(conn, key, known))

    def hear(self, committed: Committed) -> None:
        """Take in what was stored in a log, if it is followed."""
        live = self._live.get(committed.log)
        if live is not None:
            live.take(committed.state)

    def _forget(self, live: LiveLog) -> None:
        if self._live.get(live.key) is live:
            del self._live[live.key]
            self._log.unwatch(live.key)


def _read_after(conn: sa.Connection, key: LogKey, known: State | None) -> State:
    """The state of a log now, from an earlier one if that is of the same log."""
    found = find_room(conn, key)
    if found is None or known is None or found[1] < known.seq or not known.seed:
        return _read(conn, key)
    first = event_at(conn, found[0], 1)
    if first is None or first.data.get("seed") != known.seed:  # the database was replaced
        return _read(conn, key)
    news = events_after(conn, found[0], known.seq)
    if any(map(changes_the_past, news)):
        return _read(conn, key)
    return reduce(fold_any, news, known)


def _read(conn: sa.Connection, key: LogKey) -> State:
    head = load_head(conn, key)
    return empty_state(key.kind) if head is None else head.state
