"""The worker of one callback in one room: handles event after event."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextvars import ContextVar
from functools import partial
from itertools import repeat, takewhile
from typing import Any, TypeVar

import sqlalchemy as sa

from shiny_labchat.blocking import watched
from shiny_labchat.callbacks import cursors
from shiny_labchat.callbacks.kinds import Given
from shiny_labchat.callbacks.registry import Callback
from shiny_labchat.callbacks.skipping import Complete, Job, Skip, Skipped
from shiny_labchat.concurrency import in_thread, name_of, retry, text_of_error
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import message_of
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.store import Log, find_room, leases, load_state

__all__ = [
    "RETRY_DELAYS",
    "STORE_RETRY_DELAY",
    "TRIES",
    "CallbackWorker",
    "current_callback",
]

logger = logging.getLogger("shiny_labchat")

RETRY_DELAYS = (0.5, 1.5, 4.5)
"""Pauses before each further try of a callback that failed, in seconds."""
TRIES = len(RETRY_DELAYS) + 1
"""How often a message is tried at most; then it is passed over."""
STORE_RETRY_DELAY = 1.0
"""Pause before the next try when the database has failed, in seconds."""

Function = Callable[..., Any]
T = TypeVar("T")


current_callback: ContextVar[str | None] = ContextVar("callback", default=None)
"""The name of the callback whose code is running; it is not called with its own messages."""


class CallbackWorker:
    """
    Calls one callback with the events of one room that it is for.

    Parameters
    ----------
    log
        The room's log.
    cursor
        The callback, the room and the process.
    callback
        Returns the callback, whose function may be replaced at any time.
    room
        The room that the function takes.
    leased
        Called when another process has the lease, with how long at least, in microseconds.
    """

    def __init__(
        self,
        log: Log,
        cursor: cursors.Cursor,
        callback: Callable[[], Callback],
        room: object,
        leased: Callable[[int], None],
    ) -> None:
        self._log = log
        self._cursor = cursor
        self._callback = callback
        self._room = room
        self._leased = leased
        self._state: RoomState | None = None
        self._is_woken = False
        self._holds = False
        self._untried: cursors.Claim | None = None

    def wake(self, state: RoomState | None) -> None:
        """Note that there may be new messages; `state` is the room's state, if known."""
        self._is_woken = True
        if state is not None and (self._state is None or state.seq > self._state.seq):
            self._state = state

    async def run(self) -> None:
        """Handle all messages; a `wake` before this ends is never lost."""
        current_callback.set(self._cursor.callback)
        finished: int | None = None
        try:
            while self._is_woken:
                self._is_woken = False
                claim = await self._next(finished)
                finished = None
                if claim is not None:
                    self._is_woken, self._untried = True, None
                    finished = await self._handle(self._callback().fn, claim)
        except asyncio.CancelledError:
            if self._holds:  # so that no process has to wait until the lease expires
                cursor = self._cursor
                self._log.write(
                    lambda conn, now: cursors.release(conn, cursor, TRIES - 1, self._untried)
                )
            raise

    async def _next(self, finished: int | None) -> cursors.Claim | None:
        skip = self._callback().skip
        if skip is None:
            return await self._advance(finished)
        if finished is not None:
            await self._advance(finished, claims=False)
        return await self._advance(None) if await self._must_claim(skip) else None

    async def _must_claim(self, skip: Skip) -> bool:
        """
        Skip messages, in one transaction however many; return whether the next one is claimed.

        Nothing is claimed for them: if this process is killed before, they are looked at again.
        """
        look = partial(cursors.upcoming, cursor=self._cursor)
        upcoming = await self._stored(lambda: self._log.read(look))
        if upcoming is None or not upcoming.messages:
            return upcoming is None
        said = [*takewhile(_is_said, upcoming.messages)]
        skipped = await self._decide(skip, said) if said else Skipped(0, _store_nothing)
        if skipped.number:
            upto = said[skipped.number - 1][1]
            move = partial(_skip, self._cursor, upcoming.done, upto, skipped.job)
            is_moved = await self._stored(lambda: self._log.write(move))
            is_full = len(upcoming.messages) == cursors.UPCOMING
            self._is_woken = self._is_woken or is_full or not is_moved
            if not is_moved:
                return False
        return skipped.number < len(upcoming.messages)

    async def _decide(self, skip: Skip, said: Sequence[tuple[Event, int]]) -> Skipped:
        room, last = self._cursor.room, said[-1][1]
        messages = [Complete(message_of(event, room), at) for event, at in said]
        state = self._state if self._state is not None and self._state.seq >= last else None
        try:
            return await self._stored(lambda: skip(self._room, messages, state))
        except Exception:
            name = self._cursor.callback
            logger.exception("the callback %r could not look ahead in room %r", name, room.id)
            return Skipped(0, _store_nothing)

    async def _advance(self, finished: int | None, *, claims: bool = True) -> cursors.Claim | None:
        def advance(
            conn: sa.Connection, now: int
        ) -> cursors.Claim | cursors.LeasedElsewhere | None:
            came = cursors.advance(
                conn, leases.lease_time(conn), self._cursor, finished, claims=claims
            )
            self._untried = came if isinstance(came, cursors.Claim) else None
            return came

        self._holds = True  # the write may succeed even if this task is cancelled
        came = await self._stored(lambda: self._log.write(advance))
        self._holds = isinstance(came, cursors.Claim)
        if isinstance(came, cursors.LeasedElsewhere):
            self._leased(came.left)
            return None
        return came

    async def _handle(self, fn: Function, claim: cursors.Claim) -> int | None:
        """Try once; return the claim's `at` if the message is done, None to try again."""
        if claim.tries > TRIES:
            return await self._pass_over(fn, claim, "its server, or its task, ended each time")
        room, kind = self._cursor.room, self._cursor.kind
        try:
            given = kind.given(claim.event, room, claim.tries)
            await self._call(fn, await self._member(given), given.value)
            return claim.at
        except Exception as exc:
            error = exc
        logger.error(
            "the callback %s failed in room %r at %s %d (try %d of %d)",
            *(name_of(fn), room.id, kind.word, claim.event.seq, claim.tries, TRIES),
            exc_info=error,
        )
        if claim.tries >= TRIES:
            return await self._pass_over(fn, claim, text_of_error(error))
        await asyncio.sleep(RETRY_DELAYS[claim.tries - 1])
        return None

    async def _call(self, fn: Function, member: Member | None, value: object) -> None:
        if _is_async(fn):
            await watched("callback", fn, self._room, member, value)
            return
        result = await in_thread(fn, self._room, member, value)
        if inspect.isawaitable(result):
            await watched("callback", lambda: result)

    async def _pass_over(self, fn: Function, claim: cursors.Claim, error: str) -> int:
        seq, tries = claim.event.seq, min(claim.tries, TRIES)
        logger.error(
            "the callback %s passes over %s %d of room %r after %d tries: %s",
            *(name_of(fn), self._cursor.kind.word, seq, self._cursor.room.id, tries, error),
        )
        command = commands.PassOver(self._cursor.callback, seq, tries, error)
        try:
            await self._stored(lambda: self._log.submit(self._cursor.room, command))
        except Refused as exc:  # the database was replaced while this ran
            logger.error(
                "the passing over of %s %d in room %r could not be recorded: %s",
                *(self._cursor.kind.word, seq, self._cursor.room.id, exc),
            )
        return claim.at

    async def _stored(self, ask: Callable[[], Awaitable[T]]) -> T:
        async for _ in retry(repeat(STORE_RETRY_DELAY)):
            try:
                return await ask()
            except Refused:
                raise
            except LabChatError as exc:
                name, room = self._cursor.callback, self._cursor.room.id
                logger.error(
                    "the database failed for the callback %r in room %r; trying again: %s",
                    *(name, room, exc),
                )
        raise AssertionError("there is no last try")

    async def _member(self, given: Given) -> Member | None:
        id = given.member
        if id is None:
            return None
        if self._state is None or id not in self._state.memberships:
            self._state = await self._log.read(self._read_state)
        membership = self._state.memberships.get(id)
        return Member(id, given.author or id) if membership is None else Member.of(membership)

    def _read_state(self, conn: sa.Connection) -> RoomState:
        found = find_room(conn, self._cursor.room)
        return RoomState() if found is None else load_state(conn, *found)


def _is_async(fn: Function) -> bool:
    call = type(fn).__call__  # of an object that can be called
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call)


def _skip(
    cursor: cursors.Cursor,
    since: int,
    upto: int,
    job: Job,
    conn: sa.Connection,
    now: int,
) -> bool:
    return cursors.skip(conn, now, cursor, since, upto, job)


def _is_said(entry: tuple[Event, int]) -> bool:
    """Whether an entry is a message: what is to be done at a moment, is never skipped."""
    return entry[0].kind != "triggered"


def _store_nothing(conn: sa.Connection, now: int) -> None: ...
