"""The worker of one callback in one room: handles message after message."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import replace
from itertools import repeat
from typing import Any, TypeVar

import sqlalchemy as sa

from shiny_labchat.callbacks import cursors
from shiny_labchat.concurrency import in_thread, name_of, retry, text_of_error, watched
from shiny_labchat.domain import commands
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import Message, MessageText, message_of
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.store import Log, find_room, load_state

__all__ = ["RETRY_DELAYS", "STORE_RETRY_DELAY", "TRIES", "CallbackWorker", "current_callback"]

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
    Calls one callback with the messages of one room.

    Parameters
    ----------
    log
        The room's log.
    cursor
        The callback, the room and the process.
    fn
        Returns the function, which may be replaced at any time.
    room
        The room that the function takes.
    leased
        Called when another process has the lease, with the time until when.
    """

    def __init__(
        self,
        log: Log,
        cursor: cursors.Cursor,
        fn: Callable[[], Function],
        room: object,
        leased: Callable[[int], None],
    ) -> None:
        self._log = log
        self._cursor = cursor
        self._fn = fn
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
                claim = await self._advance(finished)
                finished = None
                if claim is not None:
                    self._is_woken, self._untried = True, None
                    finished = await self._handle(self._fn(), claim)
        except asyncio.CancelledError:
            if self._holds:  # so that no process has to wait until the lease expires
                cursor = self._cursor
                self._log.write(
                    lambda conn, now: cursors.release(conn, cursor, TRIES - 1, self._untried)
                )
            raise

    async def _advance(self, finished: int | None) -> cursors.Claim | None:
        def advance(
            conn: sa.Connection, now: int
        ) -> cursors.Claim | cursors.LeasedElsewhere | None:
            came = cursors.advance(conn, now, self._cursor, finished)
            self._untried = came if isinstance(came, cursors.Claim) else None
            return came

        self._holds = True  # the write may succeed even if this task is cancelled
        came = await self._stored(lambda: self._log.write(advance))
        self._holds = isinstance(came, cursors.Claim)
        if isinstance(came, cursors.LeasedElsewhere):
            self._leased(came.until)
            return None
        return came

    async def _handle(self, fn: Function, claim: cursors.Claim) -> int | None:
        """Try once; return the claim's `at` if the message is done, None to try again."""
        if claim.tries > TRIES:
            return await self._pass_over(fn, claim, "its server, or its task, ended each time")
        try:
            said = message_of(claim.message, self._cursor.room)
            said = replace(said, is_repeat=claim.tries > 1)
            await self._call(fn, await self._member(said), MessageText(said))
            return claim.at
        except Exception as exc:
            error = exc
        where = self._cursor.room.id, claim.message.seq
        logger.error(
            "the callback %s failed in room %r at message %d (try %d of %d)",
            *(name_of(fn), *where, claim.tries, TRIES),
            exc_info=error,
        )
        if claim.tries >= TRIES:
            return await self._pass_over(fn, claim, text_of_error(error))
        await asyncio.sleep(RETRY_DELAYS[claim.tries - 1])
        return None

    async def _call(self, fn: Function, member: Member | None, text: MessageText) -> None:
        if _is_async(fn):
            await watched("callback", fn, self._room, member, text)
            return
        result = await in_thread(fn, self._room, member, text)
        if inspect.isawaitable(result):
            await watched("callback", lambda: result)

    async def _pass_over(self, fn: Function, claim: cursors.Claim, error: str) -> int:
        seq, tries = claim.message.seq, min(claim.tries, TRIES)
        logger.error(
            "the callback %s passes over message %d of room %r after %d tries: %s",
            *(name_of(fn), seq, self._cursor.room.id, tries, error),
        )
        command = commands.PassOver(self._cursor.callback, seq, tries, error)
        try:
            await self._stored(lambda: self._log.submit(self._cursor.room, command))
        except Refused as exc:  # the database was replaced while this ran
            logger.error(
                "the passing over of message %d in room %r could not be recorded: %s",
                *(seq, self._cursor.room.id, exc),
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

    async def _member(self, message: Message) -> Member | None:
        id = message.member
        if id is None:
            return None
        if self._state is None or id not in self._state.memberships:
            self._state = await self._log.read(self._read_state)
        membership = self._state.memberships.get(id)
        return Member(id, message.author or id) if membership is None else Member.of(membership)

    def _read_state(self, conn: sa.Connection) -> RoomState:
        found = find_room(conn, self._cursor.room)
        return RoomState() if found is None else load_state(conn, *found)


def _is_async(fn: Function) -> bool:
    call = type(fn).__call__  # of an object that can be called
    return inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(call)
