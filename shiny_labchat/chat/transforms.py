"""An app's transforms: of what people write, for the app; of what it says, for people."""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable, Iterable
from contextvars import ContextVar
from dataclasses import replace
from functools import partial
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

import sqlalchemy as sa
from htmltools import HTML
from shiny import reactive
from shiny.session import Session, session_context
from shiny.types import SilentException

from shiny_labchat.blocking import watched
from shiny_labchat.chat.waiting import let_wait
from shiny_labchat.concurrency import Queue, name_of, retry, text_of_error
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.messages import is_text, text_of
from shiny_labchat.domain.visible import has_visible
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.lab.room import Room
from shiny_labchat.store import find_room, is_settled
from shiny_labchat.streams.transformed import StreamTransform, with_text

__all__ = [
    "TransformAssistantResponse",
    "TransformUserInput",
    "Transforms",
    "after_transform",
]

logger = logging.getLogger("shiny_labchat")

Transformed = str | HTML | None
TransformUserInput = Callable[[str], Transformed | Awaitable[Transformed]]
"""Takes the text that a person wrote."""
TransformAssistantResponse = Callable[..., Transformed | Awaitable[Transformed]]
"""Takes the text so far; or that, its newest part, and whether the text is complete."""

RETRY_DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0)
"""Pauses before each further try to store a transformed message, in seconds."""


after_transform: ContextVar[list[Callable[[], Awaitable[None]]] | None]
after_transform = ContextVar("after_transform", default=None)
"""Actions for after the message that is being transformed; None: none is being transformed."""


class Sent(NamedTuple):
    """A message that waits to be transformed."""

    room: Room
    message: HeldMessage


class Transforms:
    """
    The transforms of one chat in one session, and the messages that wait for them.

    A person's message that is being transformed is in the log already, as a held message that
    nobody sees: so nobody reads it, and no model, before there is what the transform has made. The
    messages of a person are transformed in order, outside Shiny's lock; only their author waits.

    Parameters
    ----------
    session
        The session in whose context the transforms run.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._of_user: TransformUserInput | None = None
        self._of_assistant: StreamTransform | None = None
        self._queue = Queue()

    @property
    def are_for_users(self) -> bool:
        """Whether the messages of people are transformed."""
        return self._of_user is not None

    def set_for_user(self, fn: TransformUserInput) -> None:
        """Transform the messages of people with `fn`, from now on."""
        if not _takes(fn, 1):
            raise ValueError("A transform_user_input function must take 1 argument")
        self._of_user = fn

    def set_for_assistant(self, fn: TransformAssistantResponse) -> None:
        """Transform the messages of programmes with `fn`, from now on."""
        takes = 3 if _takes(fn, 3) and not _takes(fn, 4) else 1
        if not _takes(fn, takes):
            raise ValueError("A transform_assistant_response function must take 1 or 3 arguments")

        async def stream_transform(content: str, chunk: str, done: bool) -> Part | None:
            arguments = (content, chunk, done)[:takes]
            return _part(await self._call("assistant's", fn, *arguments), "markdown")

        self._of_assistant = stream_transform

    @property
    def stream_transform(self) -> StreamTransform | None:
        """The transform of the messages of programmes; None: there is none."""
        return self._of_assistant

    # ── what is appended ──

    async def apply(self, command: commands.Post) -> commands.Post | None:
        """Transform a message that is appended; None: it is not to be shown."""
        text = text_of(command.parts)
        if command.role == "user":
            transformed = await self._of_person(text)
            if transformed is None:
                return None
            return command if transformed == text else replace(command, transformed=transformed)
        if self._of_assistant is None:
            return command
        part = _trusted_as(command.parts, await self._of_assistant(text, "", True))
        if part is None:
            return None
        parts = with_text(command.parts, part)
        return replace(command, parts=parts, original=None if text == text_of(parts) else text)

    # ── what people say ──

    def take(self, room: Room, sent: Iterable[Event]) -> None:
        """Queue messages of a page to be transformed, in order."""
        for event in sent:
            self._queue.put(partial(self._transform, Sent(room, HeldMessage.of(event))))

    async def idle(self) -> None:
        """Wait until all messages are transformed."""
        await self._queue.idle()

    async def _transform(self, sent: Sent) -> None:
        async with _turn_of(sent):
            if await _is_settled(sent):
                return
            actions = list[Callable[[], Awaitable[None]]]()
            token = after_transform.set(actions)
            try:
                command = await self._decide(sent.room, sent.message)
            finally:
                after_transform.reset(token)
            await self._store(sent, command)
            for action in actions:
                await action()

    async def _decide(
        self, room: Room, message: HeldMessage
    ) -> commands.Publish | commands.Withhold:
        try:
            return message.publish(await self._of_person(message.text))
        except SilentException:
            return message.publish(None)
        except Exception as exc:
            logger.error(
                "the transform %s failed at message %d of room %r; its author gets the text back",
                *(self._name, message.seq, room.id),
                exc_info=exc,
            )
            return message.withhold(code="not_processed", error=text_of_error(exc))

    async def _store(self, sent: Sent, command: commands.Publish | commands.Withhold) -> None:
        async for is_last in retry(RETRY_DELAYS):
            try:
                await _settle(sent, command)
                return
            except StoreError as exc:
                if is_last:
                    raise
                logger.error(
                    "transformed message %d of room %r could not be stored; trying again: %s",
                    *(sent.message.seq, sent.room.id, exc),
                )

    async def _of_person(self, text: str) -> str | None:
        if self._of_user is None:  # the app had a transform when it was sent, and has none now
            return text
        part = _part(await self._call("user's", self._of_user, text), "text")
        return part[1] if part and has_visible(part[1]) else None

    @property
    def _name(self) -> str:
        return name_of(self._of_user) if self._of_user else ""

    async def _call(self, whose: str, fn: Callable[..., Any], *arguments: Any) -> Any:
        with session_context(self._session), reactive.isolate():
            return await watched(f"transform of the {whose} words", let_wait(fn), *arguments)


async def _settle(sent: Sent, command: commands.Publish | commands.Withhold) -> None:
    try:
        await sent.room.submit(command)
    except Refused as exc:  # allowed when it was sent, but not any more
        await sent.room.submit(sent.message.withhold(code=exc.code))


def _turn_of(sent: Sent) -> asyncio.Lock:
    """The lock that keeps a person's messages in order, even when a page changes its session."""
    key = sent.room, sent.message.member
    lock = _turns.get(key)
    if lock is None:
        lock = _turns[key] = asyncio.Lock()
    return lock


_turns: WeakValueDictionary[tuple[Room, str], asyncio.Lock] = WeakValueDictionary()


async def _is_settled(sent: Sent) -> bool:
    """Whether a message is published or withheld already, as by the page's earlier session."""

    def read(conn: sa.Connection) -> bool:
        found = find_room(conn, sent.room.key)
        return found is not None and is_settled(conn, found[0], sent.message)

    return await sent.room.log.read(read)


def _part(shown: object, kind: str) -> Part | None:
    if shown is None:
        return None
    if isinstance(shown, HTML):
        return "html", str(shown)
    if isinstance(shown, str):
        return kind, shown
    raise TypeError(f"a transform must return str, HTML or None, not {type(shown).__name__}")


def _trusted_as(parts: Iterable[Part], made: Part | None) -> Part | None:
    """What a transform made of the parts of a message; markdown is as trusted as all of these."""
    if made is None or made[0] != "markdown":
        return made
    kinds = {kind for kind, _ in parts if is_text(kind)}
    return ("trusted" if kinds == {"trusted"} else "markdown"), made[1]


def _takes(fn: Callable[..., Any], number: int) -> bool:
    """Whether a function can be called with this number of positional arguments."""
    try:
        inspect.signature(fn).bind(*range(number))
    except TypeError:
        return False
    return True
