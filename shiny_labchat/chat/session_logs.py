"""The logs of studies and lobbies, as the reactive functions of one session read them."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from contextvars import Context as Variables
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from shiny.reactive._core import Context, get_current_context
from shiny.session import Session

from shiny_labchat.chat.per_session import PerSession
from shiny_labchat.chat.shiny_internals import flush_soon
from shiny_labchat.concurrency import Tasks, retry
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.logs import State
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import StoreError
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.logs import LiveLog
from shiny_labchat.store import Log

__all__ = ["SessionLog", "session_log"]

logger = logging.getLogger("shiny_labchat")

T = TypeVar("T")

RETRY_DELAYS = (0.5, 1.5, 4.5, 15.0, 60.0)
"""Pauses before a log that could not be read is tried again, in seconds."""
LONGEST_PAUSE = 60.0
"""Longest pause before a look at the time: a computer's clock may be set, in seconds."""
LATER = 0.001
"""How much later than something is due is looked, as timers may come early, in seconds."""


class SessionLog:
    """
    The log of a study or a lobby, as reactive functions of one session read it.

    It is followed from the first time that something of it is read, until the session ends.

    Parameters
    ----------
    session
        The session.
    log, key
        The log of the database, and the key of the study's or lobby's own.
    """

    def __init__(self, session: Session, log: Log, key: LogKey) -> None:
        self._session = session
        self._log = log
        self._key = key
        self._live: LiveLog | None = None
        self._unfollow: Callable[[], None] | None = None
        self._has_begun = False
        self._readers: WeakKeyDictionary[Context, list[tuple[Callable[[Any], Any], Any]]] = (
            WeakKeyDictionary()
        )
        self._tasks = Tasks(f"the {key.kind} {key.id!r}")
        self._timer: asyncio.TimerHandle | None = None

    @property
    def state(self) -> State | None:
        """The state, not reactive; None before it is known."""
        return self._live.state if self._live is not None else None

    def read(self, select: Callable[[Any], T]) -> T | None:
        """
        Something of the state; None before it is known.

        The current reactive function runs again when `select` returns something else.

        Raises
        ------
        RuntimeError
            No reactive function is running, nor `reactive.isolate()`.
        """
        context = get_current_context()
        self.begin()
        value = self._select(select)
        readers = self._readers.get(context)
        if readers is None:
            readers = self._readers[context] = []
            context.on_invalidate(lambda: readers.clear())
        readers.append((select, value))
        return value

    def _select(self, select: Callable[[Any], T]) -> T | None:
        return None if self.state is None else select(self.state)

    def begin(self) -> None:
        """Follow the log, if that has not begun."""
        if not self._has_begun and not self._session.is_stub_session():
            self._has_begun = True
            self._tasks.spawn(self._follow(), context=Variables())
            self._session.on_ended(self._end)

    async def _follow(self) -> None:
        async for is_last in retry(RETRY_DELAYS):
            try:
                logs = Runtime.of(self._log).live.logs
                live, unfollow = await logs.follow(self._key, self._changed)
            except StoreError as exc:
                logger.error("the %s %r could not be read: %s", self._key.kind, self._key.id, exc)
                self._has_begun = not is_last
                continue
            self._live, self._unfollow = live, unfollow
            if self._session._is_closed():  # pyright: ignore[reportPrivateUsage]
                self._end()
            self._changed()
            return

    def _changed(self) -> None:
        """Run those again for whom something else is selected now."""
        changed = [
            context
            for context, readers in tuple(self._readers.items())
            if any(self._select(select) != value for select, value in readers)
        ]
        for context in changed:
            context.invalidate()
        if changed:
            flush_soon(self._session)
        self._change_by_itself()

    def _change_by_itself(self) -> None:
        """Look again when the state will be another one without an event."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        state, now = self.state, time.time_ns() // 1000
        due = state.steps.next_change(now) if isinstance(state, StudyState) else None
        if due is not None and self._unfollow is not None:
            left = min((due - now) / 1e6 + LATER, LONGEST_PAUSE)
            self._timer = asyncio.get_running_loop().call_later(left, self._changed)

    def _end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
        unfollow, self._unfollow = self._unfollow, None
        if unfollow is not None:
            unfollow()


def session_log(session: Session, log: Log, key: LogKey) -> SessionLog:
    """The log of a study or a lobby in a session: one for all that read it there."""
    known = _logs.of(session).get((log, key))
    if known is None:
        known = _logs.keep(session, (log, key), SessionLog(session.root_scope(), log, key))
    return known


_logs: PerSession[tuple[Log, LogKey], SessionLog] = PerSession()
"""The logs that are read in a session."""
