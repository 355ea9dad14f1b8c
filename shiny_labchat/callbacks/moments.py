"""
When callbacks are due by the clocks of rooms, whether or not anybody has these open.

A timer only asks; the log decides by the time that it is then, and does each once, whichever
process has asked. So it does not matter which processes are there, and for how long none was.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterator, Sequence
from contextvars import Context
from functools import partial
from heapq import heappop, heappush
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.callbacks.moment_rows import RoomMoments, moved_since, name_of, read_moments
from shiny_labchat.callbacks.registry import Callback, Registry
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.clock import CLOCK_KINDS, SECOND
from shiny_labchat.domain.commands import Trigger
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import Moment, due_at
from shiny_labchat.errors import LabChatError
from shiny_labchat.store import EVER, Committed, Log, Outcome
from shiny_labchat.store.engine import Moved

__all__ = ["MomentClock"]

logger = logging.getLogger("shiny_labchat")

LOOK = 10.0
"""Pause between two looks at what other processes have done, if nothing is heard, in seconds."""
SOON = 0.5
"""Pause before such a look if something is heard, in seconds: much may come together."""
AGAIN = 1.0
"""Pause until what was due, and is not stored yet, is asked for again, in seconds."""
FURTHEST = 60.0
"""Longest time for which a timer is set, in seconds: clocks are set, and machines sleep."""
ANEW = 600.0
"""
Pause until all is read anew, in seconds: the database may have been replaced by an older copy.
"""
AT_ONCE = 50
"""Rooms that are read in one go; another reader of the log can come between two."""

_MOVES = {
    *CLOCK_KINDS,
    *("changed", "closed", "configured", "disclosed", "grouped", "joined", "removed", "triggered"),
}
"""The kinds of events after which something else may be due."""


class _Pending(NamedTuple):
    """What is to be done in a room at a moment, and was not."""

    callback: Callback
    moment: Moment
    command: Trigger


class _Due(NamedTuple):
    at: int
    command: Trigger


class MomentClock:
    """
    Has callbacks called at the moments of rooms' times that they name, in one event loop.

    As long as no callback names any, nothing is done.

    Parameters
    ----------
    log
        The log of the rooms.
    registry
        The callbacks.
    """

    def __init__(self, log: Log, registry: Registry) -> None:
        self._log = log
        self._registry = registry
        self._is_needed = False
        self.start()

    def start(self) -> None:
        """Begin anew, perhaps in another event loop."""
        self._rooms: dict[LogKey, RoomMoments] = {}
        self._queue: list[tuple[int, LogKey]] = []
        self._since = EVER
        self._is_new = False
        self._anew_at = 0.0
        self._timer: asyncio.TimerHandle | None = None
        self._next_look: asyncio.TimerHandle | None = None
        self._is_looking = False
        self._is_stopped = False
        self._tasks = Tasks(f"moments of {self._log!r}")

    async def stop(self, seconds: float) -> None:
        """Set no timers any more, and end what is under way, within `seconds`."""
        self._is_stopped = True
        for handle in (self._timer, self._next_look):
            if handle is not None:
                handle.cancel()
        await self._tasks.stop(seconds)

    def note(self) -> None:
        """Note that there is a new callback that is due at moments."""
        self._is_needed = True
        self._is_new = True
        self._rooms = {key: room for key, room in self._rooms.items() if not room.is_over}
        self._look_in(0)

    def hear(self, news: Sequence[Committed]) -> None:
        """Hear of new events; empty: another process has written."""
        if not self._is_needed:
            return
        if not news:
            self._look_in(SOON)
        for each in news:
            state = each.state
            if isinstance(state, RoomState) and any(e.kind in _MOVES for e in each.events):
                self._hear_of(each, state)

    def _hear_of(self, news: Committed, state: RoomState) -> None:
        room = self._rooms.get(news.log)
        if room is None:
            if self._callbacks(news.log):
                self._look_in(0)
            return
        done = (event.cid for event in news.events if event.kind == "triggered")
        room.done.update(id for id in done if id is not None)
        if state.seq > room.state.seq:
            room.state, room.is_over = state, False
        self._set(news.log, room)

    # ── what is due ──

    def _callbacks(self, key: LogKey) -> list[Callback]:
        if key.kind != "room":
            return []
        found = self._registry.of_room(key).values()
        return [each for each in found if each.timetable is not None and each.since is not None]

    def _pending(self, key: LogKey, room: RoomMoments) -> Iterator[_Pending]:
        for callback in () if room.is_over else self._callbacks(key):
            assert callback.timetable is not None
            for moment in callback.timetable.of(room.state):
                command = Trigger(callback.name, moment.name, moment)
                if command.cid not in room.done:
                    yield _Pending(callback, moment, command)

    def _due(self, key: LogKey, room: RoomMoments) -> Iterator[_Due]:
        """What is due in a room, now or later, and was not done."""
        for callback, moment, command in self._pending(key, room):
            due, first = due_at(room.state, moment), callback.times.get(moment.name)
            if due is None or first is None:
                continue
            if name_of(callback.name, moment.name) in room.imported:
                continue
            if room.number > first.since or due >= first.at:  # else it was over before that
                yield _Due(due, command)

    def _set(self, key: LogKey, room: RoomMoments, least: int = 0) -> None:
        """Note when something is due next in a room, or when to ask again: then at `least`."""
        due = min((each.at for each in self._due(key, room)), default=None)
        room.next = None if due is None else max(least, due)
        if room.next is not None:
            heappush(self._queue, (room.next, key))
            self._set_timer()
        elif not room.state.is_open or not any(self._pending(key, room)):
            room.state, room.is_over = RoomState(seq=room.state.seq), True

    def _set_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._queue and not self._is_stopped:
            delay = min(FURTHEST, max(0.0, (self._queue[0][0] - _now()) / SECOND))
            self._timer = asyncio.get_running_loop().call_later(delay, self._ring)

    def _ring(self) -> None:
        """Have done what is due."""
        now = _now()
        while self._queue and self._queue[0][0] <= now:
            at, key = heappop(self._queue)
            room = self._rooms.get(key)
            if room is None or room.next != at or self._log.is_closed:
                continue  # something else became due since
            for due, command in sorted(self._due(key, room), key=_at):
                if due <= now:
                    self._ask(key, room, command)
            self._set(key, room, now + round(AGAIN * SECOND))
        self._set_timer()

    def _ask(self, key: LogKey, room: RoomMoments, command: Trigger) -> None:
        def tell(outcome: Outcome | None, error: BaseException | None) -> None:
            if outcome is None:
                _note_failure(key, error)
            elif outcome.events:
                room.done.add(command.cid)
            else:  # others have done something by which it is not due
                self._look_in(SOON)

        try:
            self._log.put(key, command, tell)
        except LabChatError as exc:
            _note_failure(key, exc)

    # ── what happens in rooms ──

    def _look_in(self, seconds: float) -> None:
        """Look at what has happened, after so many seconds at the latest."""
        if self._is_stopped:
            return
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._next_look is not None:
            if self._next_look.when() <= at:
                return
            self._next_look.cancel()
        self._next_look = loop.call_at(at, self._begin_to_look)

    def _begin_to_look(self) -> None:
        self._next_look = None
        if self._is_looking:
            self._look_in(SOON)
        elif not self._log.is_closed:
            self._is_looking = True
            self._tasks.spawn(self._look(), context=Context())

    async def _look(self) -> None:
        again = LOOK
        try:
            if self._log.exists:
                await self._take_in_all()
        except LabChatError as exc:
            logger.error("what is due in rooms could not be read; trying again: %s", exc)
            again = AGAIN
        finally:
            self._is_looking = False
        self._look_in(again)

    async def _take_in_all(self) -> None:
        now = asyncio.get_running_loop().time()
        is_anew = now >= self._anew_at
        since = EVER if is_anew or self._is_new else self._since
        self._is_new, self._since = False, EVER  # until all is read, and if this fails
        moved, until = await self._log.read(partial(moved_since, since=since))
        ours = [each for each in reversed(moved) if self._callbacks(each.key)]
        if is_anew:
            self._anew_at = now + ANEW
            keys = {each.key for each in ours}
            self._rooms = {key: room for key, room in self._rooms.items() if key in keys}
        for start in range(0, len(ours), AT_ONCE):
            await self._take_in(ours[start : start + AT_ONCE], is_anew)
        self._since = until

    async def _take_in(self, some: Sequence[Moved], is_anew: bool) -> None:
        known = [None if is_anew else self._rooms.get(each.key) for each in some]
        names = [self._names(each.key) for each in some]

        def read(conn: sa.Connection) -> list[RoomMoments | None]:
            each = zip(some, known, names, strict=True)
            return [read_moments(conn, *room) for room in each]

        for found, before, room in zip(some, known, await self._log.read(read), strict=True):
            now = self._rooms.get(found.key)
            if room is None:
                assert before is not None
                self._set(found.key, before)
            elif before is None or now is None or room.state.seq >= now.state.seq:
                self._rooms[found.key] = room
                self._set(found.key, room)

    def _names(self, key: LogKey) -> list[str]:
        """The names of the moments that may come in a room."""
        return [
            name_of(callback.name, moment.name)
            for callback in self._callbacks(key)
            for moment in (callback.timetable.moments if callback.timetable else ())
        ]


def _at(due: _Due) -> int:
    return due.at


def _now() -> int:
    return time.time_ns() // 1000


def _note_failure(room: LogKey, error: BaseException | None) -> None:
    logger.error("what was due in room %r could not be stored; trying again: %s", room.id, error)
