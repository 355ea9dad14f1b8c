"""
What is due in rooms whose people have a time: its start, its warnings, pauses and end.

Timers only ask what is due; the log decides, by the time that it is then. So a process that hears
nothing, or comes too late, changes nothing, and several that come at once do it once.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.clock import CLOCK_KINDS, SECOND
from shiny_labchat.domain.commands import AdvanceRoom, Dissolve, Replace
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.due import advance_by, dissolving, needs_signs, next_due, replacing
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.presence import Signs
from shiny_labchat.domain.rules import is_watched
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import LabChatError
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.unopened import UnopenedRooms
from shiny_labchat.store import (
    Log,
    Outcome,
    Person,
    seen_of,
)

__all__ = ["Clocks"]

logger = logging.getLogger("shiny_labchat")

ROUND = 1.0
"""Pause between two looks at who is there, where that matters, in seconds."""
AGAIN = 1.0
"""Pause until what was due, and is not stored yet, is asked for again, in seconds."""
FURTHEST = 60.0
"""Longest time for which a timer is set, in seconds: clocks are set, and machines sleep."""

_MOVES = {
    *("changed", "closed", "configured", "done", "hours", "joined", "removed", "turn"),
    *CLOCK_KINDS,
}
"""The kinds of events after which something else may be due."""


@dataclass(slots=True)
class _Timer:
    """The timer of a room, and a function that ends hearing what happens there."""

    unfollow: Callable[[], None]
    handle: asyncio.TimerHandle | None = None

    def cancel(self) -> None:
        if self.handle is not None:
            self.handle.cancel()
            self.handle = None


class Clocks:
    """
    The clocks of rooms, in one event loop.

    A room without rules for its time costs one look when it is opened, and no timer.

    Parameters
    ----------
    log
        The log of the rooms.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._timers: dict[LiveRoom, _Timer] = {}
        self._unopened = UnopenedRooms(log)
        self._next_look: asyncio.TimerHandle | None = None
        self._is_looking = False
        self._heard_since = _now()
        self._unreplaced: dict[LogKey, frozenset[str]] = {}
        self._tasks = Tasks(f"clocks of {log!r}")

    def note(self, room: LiveRoom) -> None:
        """See to a room that is open here, if its rules ask for that."""
        if is_watched(room.state.rules) and room not in self._timers:
            self._timers[room] = _Timer(room.follow(partial(self._hear, room)))
            self._set(room)
            self._look_soon(0)

    def forget(self, room: LiveRoom) -> None:
        """Leave a room alone that nobody has open here any more."""
        timer = self._timers.pop(room, None)
        if timer is not None:
            timer.cancel()
            timer.unfollow()

    async def stop(self, seconds: float) -> None:
        """Set no timers any more, and end what is under way, within `seconds`."""
        for room in tuple(self._timers):
            self.forget(room)
        if self._next_look is not None:
            self._next_look.cancel()
            self._next_look = None
        await self._tasks.stop(seconds)

    # ── by the clock ──

    def _hear(self, room: LiveRoom, events: Sequence[Event]) -> None:
        if any(event.kind in _MOVES for event in events):
            self._set(room)
            self._look_soon(ROUND)

    def _set(self, room: LiveRoom) -> None:
        """Have done what is due in a room, and set its timer to what is due next."""
        timer = self._timers.get(room)
        if timer is None:
            return
        timer.cancel()
        if room.is_void or self._log.is_closed:
            self.forget(room)
        elif (delay := self._delay(room)) is not None:
            timer.handle = asyncio.get_running_loop().call_later(delay, self._set, room)

    def _delay(self, room: LiveRoom) -> float | None:
        """Have done what is due; return after how many seconds to look again, if at all."""
        if self._advance(room.key, room.state, AdvanceRoom()):
            return AGAIN
        due = next_due(room.state, _now())
        if due is None:
            return None
        if due <= _now():  # a start, which depends on who is there
            self._look_soon(0)
            return AGAIN
        return min(FURTHEST, (due - _now()) / SECOND)

    def _advance(self, key: LogKey, state: RoomState, command: AdvanceRoom) -> bool:
        """Have done what is due in a room, if anything is, as far as it is known here."""
        if not decide(state, command, _now()):
            return False
        try:
            self._log.put(key, command, partial(_note_failure, key))
        except LabChatError as exc:
            _note_failure(key, None, exc)
        return True

    # ── by who is there ──

    def _look_soon(self, delay: float) -> None:
        if self._next_look is None and not self._is_looking:
            loop = asyncio.get_running_loop()
            self._next_look = loop.call_later(delay, self._begin_to_look)

    def _begin_to_look(self) -> None:
        self._next_look = None
        rooms = [room for room in self._timers if needs_signs(room.state)]
        if rooms and not self._log.is_closed:
            self._is_looking = True
            self._tasks.spawn(self._look(rooms))

    async def _look(self, rooms: Sequence[LiveRoom]) -> None:
        try:
            known = await self._known(_Look(room.key, room.state, _here(room)) for room in rooms)
            for room in rooms:
                await self._judge(_Look(room.key, room.state, _here(room)), known)
        except LabChatError as exc:
            logger.error("who is there could not be read; trying again: %s", exc)
        finally:
            self._is_looking = False
            self._look_soon(ROUND)

    async def _known(self, looks: Iterable[_Look]) -> _Known:
        """What all processes know of the people who are not here."""
        people = {person for look in looks for person in look.elsewhere()}
        if not people:
            return {}, 0
        return await self._log.read(partial(seen_of, people=people))

    async def _judge(self, look: _Look, known: _Known) -> bool:
        """Have done what is due in a room, by what is known of its people; whether anything is."""
        state, at = look.state, _now()
        command = advance_by(state, look.silences(known), at, self._heard_since)
        is_due = self._advance(look.key, state, command)
        if gone := dissolving(state, command.gone):
            await self._log.submit_together(Dissolve(look.key.study, look.key.id, gone))
        await self._replace(look.key, replacing(state, command.gone))
        return is_due

    async def _replace(self, room: LogKey, gone: Collection[str]) -> None:
        """Have a bot take the places of people; those in which it does not are asked for once."""
        known = self._unreplaced.pop(room, frozenset[str]())
        if gone and not known.issuperset(gone):
            command = Replace(room.study, room.id, tuple(gone), secrets.token_hex(32))
            decided = await self._log.submit_together(command)
            known = frozenset[str]() if decided.events else frozenset(gone)
        if gone and known:
            self._unreplaced[room] = known

    # ── rooms that nobody has open here ──

    async def resume(self) -> None:
        """Do what is due in rooms that are not open here: their processes may have ended."""
        states = await self._unopened.due({room.key for room in self._timers}, _now())
        looks = [_Look(key, state, frozenset()) for key, state in states.items()]
        known = await self._known(looks)
        for look in looks:
            if not await self._judge(look, known):
                self._unopened.judged(look.key)


_Known = tuple[dict[Person, Signs], int]
"""What is known of people, and the time by which that is, see `seen_of`."""


class _Look(NamedTuple):
    """A room as it is now, and who of its people has it open here."""

    key: LogKey
    state: RoomState
    here: Collection[str]

    def elsewhere(self) -> list[Person]:
        """Its people who have not, if it matters whether they are there."""
        if not needs_signs(self.state):
            return []
        ids = (each.member for each in self.state.people())
        return [Person(self.key.study, id) for id in ids if id not in self.here]

    def silences(self, known: _Known) -> dict[str, int]:
        """By member, for how long nothing was heard of them, in microseconds."""
        found, now = known
        signs = {each.id: found[each] for each in self.elsewhere() if each in found}
        heard = {id: now - each.heard for id, each in signs.items() if each.heard}
        return heard | dict.fromkeys(self.here, 0)


def _here(room: LiveRoom) -> set[str]:
    return room.signs.members


def _now() -> int:
    return time.time_ns() // 1000


def _note_failure(room: LogKey, outcome: Outcome | None, error: BaseException | None) -> None:
    if error is not None:
        logger.error(
            "what was due in room %r could not be stored; trying again: %s", room.id, error
        )
