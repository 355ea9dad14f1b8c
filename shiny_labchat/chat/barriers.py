"""Waiting of a session's person until everybody in their group has recorded something."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from typing import Literal, NamedTuple

from shiny.session import Session

from shiny_labchat.chat.session_logs import session_log
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.commands import Barrier, CallLate, EndPerson
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.study.groups import call, people_of
from shiny_labchat.study.person import Person
from shiny_labchat.study.study import Study

__all__ = ["Barriers", "OnLate"]

logger = logging.getLogger("shiny_labchat")

OnLate = Literal["end", "without"] | Callable[[Person], object]
"""
What becomes of those who are late: their part ends, or they go on without being waited for.

A function is called with each of them, async or not; if it returns "end", their part ends.
"""

RETRY_DELAY = 2.0
"""Pause before a barrier that could not be decided is tried again, in seconds."""
MARGIN = 0.05
"""How long after its time a barrier is decided, in seconds: never a moment too early."""

_Key = tuple[str, str]
"""The room and the kind of a barrier."""


class Barriers:
    """
    The barriers at which the person of one session waits.

    They are decided in the study's log. Each page that waits has its barrier decided when the last
    answer has come, and when its time is over.

    Parameters
    ----------
    session
        The session.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._tasks = Tasks("barriers")
        self._waiting: dict[_Key, asyncio.Task[None]] = {}
        self._deciding: set[_Key] = set()
        self._seen_to: set[_Key] = set()
        session.on_ended(self._stop)

    def is_met(
        self, room: Room, kind: str, within: float, on_late: OnLate, person: str | None
    ) -> bool:
        """
        Whether a barrier is met, reactively.

        If the session's person, whose id is given, has recorded it, they wait for the others now.
        """
        known = session_log(self._session, room.log, study_log(room.study)).read(
            lambda state: _Seen.of(state, room.id, kind, person)
        )
        if known is None:
            return False
        if known.is_met:
            if known.late:
                self._see_to_late(room, kind, on_late, known.late)
            return True
        if not known.waits:
            return False
        if known.until is None or known.are_all:
            self._decide(room, kind, within)
        if known.until is not None and (room.id, kind) not in self._waiting:
            self._wait(room, kind, within, known.until)
        return False

    def _decide(self, room: Room, kind: str, within: float) -> None:
        if (room.id, kind) not in self._deciding:
            self._deciding.add((room.id, kind))
            self._tasks.spawn(self._submit(room, kind, within), context=Context())

    def _wait(self, room: Room, kind: str, within: float, until: int) -> None:
        async def decide_then() -> None:
            await asyncio.sleep(max(0.0, until / 1e6 - time.time()) + MARGIN)
            del self._waiting[room.id, kind]
            self._decide(room, kind, within)

        self._waiting[room.id, kind] = self._tasks.spawn(decide_then(), context=Context())

    async def _submit(self, room: Room, kind: str, within: float) -> None:
        command = Barrier(room.study, room.id, kind, round(within * 1e6))
        try:
            while True:
                try:
                    await room.log.submit_together(command)
                    return
                except LabChatError as exc:
                    logger.error("room %r: nobody can go on past %r: %s", room.id, kind, exc)
                await asyncio.sleep(RETRY_DELAY)
        finally:
            self._deciding.discard((room.id, kind))

    def _see_to_late(self, room: Room, kind: str, on_late: OnLate, late: tuple[str, ...]) -> None:
        if on_late == "without" or (room.id, kind) in self._seen_to:
            return
        self._seen_to.add((room.id, kind))
        job = self._call_with(room, kind, on_late) if callable(on_late) else self._end(room, late)
        self._tasks.spawn(job, context=Context())

    async def _end(self, room: Room, late: Iterable[str]) -> None:
        for person in late:
            await room.log.submit_together(EndPerson(room.study, person, "idle"))

    async def _call_with(self, room: Room, kind: str, fn: Callable[[Person], object]) -> None:
        """Call the app's function with each who is late, if no other page has it called."""
        stored = await room.log.submit_together(CallLate(room.study, room.id, kind))
        noted = stored.events.get(study_log(room.study), ())
        late = [id for event in noted for id in event.data["people"]]
        study = Study(room.study, lab=Lab(room.log.url.render_as_string(hide_password=False)))
        for person in await people_of(study, late):
            try:
                result = await call(fn, person)
            except Exception:
                logger.exception("the function for who is late for %r has failed", kind)
            else:
                if result == "end":
                    await self._end(room, [person.id])

    def _stop(self) -> None:
        for task in self._waiting.values():
            task.cancel()


class _Seen(NamedTuple):
    """
    What is to be known of a barrier.

    Parameters
    ----------
    is_met
        Whether the barrier is met.
    waits
        Whether the session's person is of the group, and waits for the others.
    are_all
        Whether nobody else is waited for.
    until
        Until when the others are waited for, in microseconds since 1970 (UTC); None: nobody waits
        yet.
    late
        The ids of the people who are late: it was met without them.
    """

    is_met: bool
    waits: bool = False
    are_all: bool = False
    until: int | None = None
    late: tuple[str, ...] = ()

    @classmethod
    def of(cls, state: StudyState, room: str, kind: str, person: str | None) -> _Seen:
        """A barrier as a study's log describes it."""
        barrier = state.barriers.get((room, kind))
        if barrier is None or barrier.met is None:
            have, are_all = state.awaited(room, kind)
            return cls(False, person in have, are_all, barrier and barrier.until)
        return cls(True, late=tuple(state.late(room, kind)))
