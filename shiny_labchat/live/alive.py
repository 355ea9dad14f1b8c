"""
Which people of some rooms are here, idle, away or gone.

The pages of these rooms are asked whether they are alive. Each process stores what it has heard in
one table, and reads there what all have heard; so it does not matter which process decides first
that somebody's presence has changed: the log takes each change once.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextvars import Context
from functools import partial

from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.commands import NotePresence
from shiny_labchat.domain.due import needs_signs
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.presence import ALIVE, Look, Signs, is_steady, look, seems
from shiny_labchat.errors import LabChatError
from shiny_labchat.live.heard import Heard
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Log, Outcome, Person, rooms_with_people, seen_of

__all__ = ["ROUND", "Alive"]

logger = logging.getLogger("shiny_labchat")

ROUND = ALIVE / 6
"""
Pause between two rounds, in seconds: pages are asked in each third, people judged in each second.
"""


class Alive:
    """
    The presence of people in the rooms of one log that need it, in one event loop.

    A room that needs it, and has a page here, is kept open until all of its people are gone.

    Parameters
    ----------
    log
        The log.
    rooms
        Returns the rooms that are open.
    open
        Opens a room, which is closed with `leave`.
    asks
        Whether a callback asks for presence in a room.
    heard
        What is heard of people, until it is stored.
    seen_open
        Called with each room that is open, in each round.
    """

    def __init__(
        self,
        log: Log,
        rooms: Callable[[], Iterable[LiveRoom]],
        open: Callable[[LogKey], Awaitable[LiveRoom]],
        asks: Callable[[LogKey], bool],
        heard: Heard,
        seen_open: Callable[[LiveRoom], None],
    ) -> None:
        self._log = log
        self._rooms = rooms
        self._open = open
        self._asks = asks
        self._seen_open = seen_open
        self._kept: dict[LiveRoom, dict[str, Look | None]] = {}
        self._asked_since: dict[LiveRoom, int] = {}
        self._heard = heard
        self._number = 0
        self._timer: asyncio.TimerHandle | None = None
        self._tasks = Tasks(f"presence in {log!r}")
        self._judging: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._judging.set_result(None)

    def begin(self) -> None:
        """Make rounds as long as any room is open."""
        if self._timer is None:
            loop = asyncio.get_running_loop()
            # Not in the context of who opens a room: one round begins the next, with its context.
            self._timer = loop.call_later(ROUND, self._begin_round, context=Context())

    def _begin_round(self) -> None:
        self._timer = None
        rooms = [*self._rooms()]
        if not rooms or self._log.is_closed:
            return
        self.begin()
        self._number += 1
        asking = [room for room in rooms if self._note_need(room)]
        for room in rooms:
            self._seen_open(room)
        if asking and self._number % 3 == 1:
            self._tasks.spawn(self._ask(asking))
        if (asking or self._kept) and self._number % 2 == 0 and self._judging.done():
            self._judging = self._tasks.spawn(self._judge(asking))

    def _note_need(self, room: LiveRoom) -> bool:
        """Whether a room needs presence now; from the first time on its pages are asked."""
        state = room.state
        needed = state.rules.log_presence or self._asks(room.key) or needs_signs(state)
        room.signs.is_asking = needed
        return room.signs.is_asking

    async def _ask(self, rooms: list[LiveRoom]) -> None:
        for room in rooms:
            room.signs.ask()
            await asyncio.sleep(0)  # others' messages come between

    # ── rooms ──

    def _keep(self, room: LiveRoom) -> None:
        """Keep a room open, and judge its people, until all of them are gone."""
        if room not in self._kept:
            room.users += 1
            people = (each.member for each in room.state.members() if _is_somewhere(each))
            self._kept[room] = dict.fromkeys(people)
        for member in room.signs.members:
            self._kept[room].setdefault(member, None)

    def _drop(self, room: LiveRoom) -> None:
        del self._kept[room]
        self._asked_since.pop(room, None)
        room.leave()

    async def resume(self) -> None:
        """Go on with rooms whose processes have ended while people were in them."""
        kept = {room.key for room in self._kept}
        for key in await self._log.read(rooms_with_people):
            if key not in kept:
                room = await self._open(key)
                if self._note_need(room):
                    self._keep(room)
                room.leave()

    async def stop(self, seconds: float) -> None:
        """Make no more rounds, and end the one under way, within `seconds`."""
        if self._timer is not None:
            self._timer.cancel()
        await self._tasks.stop(seconds)

    # ── people ──

    async def _judge(self, asking: list[LiveRoom]) -> None:
        """Store what was heard, and note whose presence has changed, by what all have heard."""
        for room in asking:
            if room.signs.members:
                self._keep(room)
        self._take()
        people = [Person(room.key.study, id) for room, ids in self._kept.items() for id in ids]
        try:
            await self._heard.store()
            known, now = await self._log.read(partial(seen_of, people=people))
        except LabChatError as exc:
            logger.error("who is here could not be stored or read; trying again: %s", exc)
            return
        for room in tuple(self._kept):
            self._judge_room(room, known, now)

    def _take(self) -> None:
        for room in self._kept:
            for member, signs in room.signs.take().items():
                self._heard.note(Person(room.key.study, member), signs)

    def _judge_room(self, room: LiveRoom, known: dict[Person, Signs], now: int) -> None:
        asked_since = self._asked_since.setdefault(room, now)
        people = self._kept[room]
        for member, before in tuple(people.items()):
            membership = room.state.membership(member)
            signs = known.get(Person(room.key.study, member), Signs())
            seemed = seems(signs, room.state.rules, now, asked_since)
            is_gone = seemed == "gone" or not signs.heard
            if membership is None or (is_gone and not _is_somewhere(membership)):
                del people[member]  # comes back with the next round if a page of theirs is here
                continue
            people[member] = looks = look(before, seemed, now)
            if seemed != membership.presence and is_steady(looks, now):
                self._log.put(
                    room.key, NotePresence(member, seemed), partial(_note_failure, room.key)
                )
        if room.is_void or not (people and room.signs.is_asking):
            self._drop(room)


def _is_somewhere(membership: Membership) -> bool:
    """Whether somebody has been here, and is not gone, as the log last said."""
    return membership.presence not in (None, "gone")


def _note_failure(room: LogKey, outcome: Outcome | None, error: BaseException | None) -> None:
    if error is not None:
        logger.error(
            "a change of somebody's presence in room %r could not be stored: %s", room.id, error
        )
