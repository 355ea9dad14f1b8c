"""What a chat says into its room: whole messages, and streams."""

from __future__ import annotations

import asyncio
from abc import abstractmethod
from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any, Literal

from htmltools import HTML, Tag, TagList
from shiny import reactive
from shiny.module import ResolvedId
from shiny.session import Session

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.admission import Admission
from shiny_labchat.chat.content import Content, as_content, as_html
from shiny_labchat.chat.handlers import Handlers, handled_message
from shiny_labchat.chat.replies import Replies, reply_id
from shiny_labchat.chat.session_room import SessionRoom
from shiny_labchat.chat.streams import MessageStream, StreamTask, current_stream, pour, streaming
from shiny_labchat.chat.transforms import Transforming, Transforms
from shiny_labchat.domain import commands
from shiny_labchat.domain.members import Member, as_member_id
from shiny_labchat.domain.messages import Message, text_of
from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.room import Room

__all__ = ["Appending"]


class Appending(Transforming):
    """
    The part of a :class:`Chat` that speaks.

    Parameters
    ----------
    session
        The session it is a part of.
    handlers
        What is told of streams that fail.
    session_room
        Its hold on the room.
    replies
        A model that replies, if any.
    transforms
        What is made of it before it is shown.
    """

    id: ResolvedId
    _admission: Admission

    def __init__(
        self,
        session: Session,
        handlers: Handlers,
        session_room: SessionRoom,
        replies: Replies | None,
        transforms: Transforms,
    ) -> None:
        self._session = session
        self._handlers = handlers
        self._session_room = session_room
        self._replies = replies
        self._transforms = transforms
        if replies is not None:
            handlers.register(self._reply)
        self._latest: reactive.Value[StreamTask] = reactive.Value(StreamTask(), name="latest")

    @abstractmethod
    def _room_now(self) -> Room | None:
        """The room; reactive where a function gives it."""

    @abstractmethod
    def _responded(self) -> None:
        """What this session's programme had to say is said, or cut short."""

    async def append_message(
        self,
        message: Any,
        *,
        icon: HTML | Tag | TagList | str | None = None,
        author: str | Member | None = None,
        audience: Literal["me"] | Iterable[str | Member] | None = None,
        id: str | None = None,
    ) -> None:
        """
        Append a message to the room: logged, and shown to everybody in it.

        Parameters
        ----------
        message
            Text (markdown), `HTML`, a Tag or TagList or what else a tag may hold (inputs and
            outputs in it live in each browser), a dictionary with `content` and `role`, or any
            type registered with `shinychat.message_content`. The role "user" says it in this
            session's person's name.
        icon
            Shown beside the message: UI, or a string of HTML.
        author
            Who says it: a member, or the name that the programme speaks under. None: the
            programme.
        audience
            Who may see it: "me" (this session's person), or members. None: everybody.
        id
            What makes it one message however often it is appended. A script that appends when it
            starts does so for every visitor, and needs one.

        Raises
        ------
        LabChatError
            There is no room yet.
        Refused
            A rule of the room says no.
        """
        content = as_content(message, self._session)
        command = self._post_of(content, icon, author, audience, id)
        await self._flush_in_handler()
        await self._say(command, content)
        if command.role == "assistant":
            self._responded()

    def _post_of(
        self,
        content: Content,
        icon: HTML | Tag | TagList | str | None,
        author: str | Member | None,
        audience: Literal["me"] | Iterable[str | Member] | None,
        id: str | None,
    ) -> commands.Post:
        member = author.id if isinstance(author, Member) else None
        if member is None and content.role == "user":
            member = _ME
        return commands.Post(
            parts=content.parts,
            role=content.role if member is None else "user",
            member=member,
            name=author if isinstance(author, str) else None,
            icon=as_html(icon),
            deps=content.deps,
            audience=_audience(audience),
            cid=id,
        )

    async def _say_first(self, message: Any, id: str) -> None:
        content = as_content(message, self._session)
        first = self._post_of(content, None, None, None, id)
        # Nobody in particular says these: there is one for all visitors.
        await self._say(replace(first, member=None), content)

    async def _say(self, command: commands.Post, content: Content) -> None:
        """Say what the app's transforms leave of something."""
        is_others = command.member not in (None, _ME)
        shown = content if is_others else await self._transforms.apply(content)
        text = text_of(content.parts)
        if shown is None:
            await self._room().submit(commands.Withhold(text, id=command.cid))
            return
        original = None if text == text_of(shown.parts) else text
        told = replace(command, parts=shown.parts, original=original)
        await self._as_told(told, lambda room, told: room.say(told))

    async def _as_told(
        self, command: commands.Post, do: Callable[[Room, commands.Post], Awaitable[Any]]
    ) -> None:
        """Do, in order, what may need to know who this person is, as soon as that is known."""
        needs_me = _ME in (command.member, command.by, *(command.audience or ()))
        if not needs_me and not self._session_room.is_awaited:
            await do(self._room(), command)
            return

        async def later() -> None:
            me = self._admission.member
            assert me is not None
            audience = command.audience and [me if m == _ME else m for m in command.audience]
            member = me if command.member == _ME else command.member
            told = replace(command, member=member, audience=audience, by=command.by and me)
            await do(self._room(), told)

        await self._once(later)

    async def _once(self, action: Callable[[], Awaitable[None]]) -> None:
        """Do something now, or as soon as it is known who this person is, and where."""
        if self._admission.is_over:  # as in a handler of a chat that was replaced meanwhile
            await action()
        else:
            await self._session_room.once(action)

    # ── streams ──

    async def append_message_stream(
        self,
        message: Iterable[Any] | AsyncIterable[Any],
        *,
        icon: HTML | Tag | TagList | str | None = None,
        author: str | Member | None = None,
        audience: Literal["me"] | Iterable[str | Member] | None = None,
        id: str | None = None,
    ) -> StreamTask:
        """
        Append a message piece by piece, while everybody watches and may write.

        It takes its place in the room when it begins: after what was appended before, and before
        what is appended next. It is logged as a message when it ends. It belongs to the room: it
        goes on when this page goes away. This session's person, and experimenters, can stop it.

        Parameters
        ----------
        message
            An (async) iterable of chunks: text (markdown), `HTML`, a Tag or TagList, a dictionary
            with `content` and `role`, or any type registered with
            `shinychat.message_content_chunk`, such as chatlas' contents. One that is not async is
            read in a thread.
        icon, author, audience, id
            See :meth:`append_message`.

        Returns
        -------
        ExtendedTask
            Of the stream: ``result()``, the whole text, can be read reactively; ``cancel()``
            stops it. What was said then stays, marked.

        Raises
        ------
        LabChatError
            There is no room yet.
        """
        opening = Content([], "assistant", [])
        command = self._post_of(opening, icon, author, audience, id)
        await self._flush_in_handler()
        known: _Known = asyncio.get_running_loop().create_future()
        has_place = asyncio.Event()
        stream = asyncio.ensure_future(self._stream(message, known, has_place))
        stream.add_done_callback(lambda _: has_place.set())
        self._give_up_in_time(known)
        task = StreamTask(stream)
        self._latest.set(task)

        async def begin(room: Room, told: commands.Post) -> None:
            if not known.done():  # it may have been cancelled
                known.set_result((room, told))
            await has_place.wait()  # what is appended next comes after it

        await self._as_told(replace(command, by=_ME), begin)
        return task

    def _give_up_in_time(self, known: _Known) -> None:
        """What has found no room when the session ends never will."""

        def give_up() -> None:
            known.cancel()

        forget = self._session.on_ended(give_up)
        known.add_done_callback(lambda _: forget())

    async def _stream(
        self,
        message: Iterable[Any] | AsyncIterable[Any],
        known: _Known,
        has_place: asyncio.Event,
    ) -> str:
        room, told = await known
        transform, failed = self._transforms.stream_transform, self._handlers.report
        try:
            return await pour(
                message, self, room, told, self._session, failed, transform, has_place.set
            )
        finally:
            self._responded()

    async def _reply(self) -> None:
        """Have the model reply to the message that is being handled, if it replies to that."""
        handled = handled_message.get()
        assert self._replies is not None and handled is not None
        message, room = handled[1], self._room()
        if not await self._replies.wants(message):
            return
        opening = self._post_of(Content([], "assistant", []), None, None, None, None)
        command = replace(opening, by=message.member, cid=reply_id(self.id, message))
        self._latest.set(StreamTask(self._answer(self._replies, room, message, command)))

    async def _answer(
        self, replies: Replies, room: Room, message: Message, command: commands.Post
    ) -> str:
        try:
            return await replies.answer(
                self, room, message, command, self._transforms.stream_transform
            )
        finally:
            self._responded()

    @property
    def latest_message_stream(self) -> StreamTask:
        """
        Reactively read which stream this session has begun last.

        Its ``status()`` is "initial" before there is one.
        """
        return self._latest()

    @asynccontextmanager
    async def message_stream_context(self) -> AsyncGenerator[MessageStream]:
        """
        Append to a stream by hand, inside ``async with``.

        Alone it appends a new streaming message. Inside another one of this chat, and in what
        runs inside :meth:`append_message_stream` (such as a model's tool), it appends to that
        one's, and ``clear()`` and ``replace()`` go back to where it began.

        This session's person, and experimenters, can stop it. The code inside goes on then, and
        what it appends is not heard.

        Yields
        ------
        MessageStream
            With ``append(chunk)``, ``replace(chunk)`` and ``clear()``.
        """
        stream = current_stream(self)
        if stream is not None:
            yield MessageStream(stream, self._session)
            return
        opening = self._post_of(Content([], "assistant", []), None, None, None, None)
        command = replace(opening, by=self._admission.member)
        try:
            transform = self._transforms.stream_transform
            async with streaming(self, self._room(), command, transform=transform) as stream:
                assert stream is not None  # it has no id that could have been used
                yield MessageStream(stream, self._session)
        finally:
            self._responded()

    def _room(self) -> Room:
        with reactive.isolate():
            room = self._room_now()
        if room is None:
            raise LabChatError(f"chat {str(self.id)!r} has no room yet; check chat.room first")
        return room

    async def _flush_in_handler(self) -> None:
        if handled_message.get() is not None:
            await shiny_internals.flush(self._session)

    async def clear_messages(
        self, *, greeting: bool = False, scope: Literal["view", "room"] = "view"
    ) -> None:
        """
        Empty the chat; the log keeps all.

        Parameters
        ----------
        greeting
            Whether the greeting goes, too, until the page is loaded again.
        scope
            "view": this person's own screen, for good. "room": everybody's.
        """
        if scope not in ("view", "room"):
            raise ValueError(f'scope must be "view" or "room", not {scope!r}')
        await self._flush_in_handler()
        if scope == "room":
            await self._room().clear(greeting=greeting)
            return

        async def clear() -> None:
            await self._room().clear(self._admission.member, greeting=greeting)

        await self._once(clear)


_Known = asyncio.Future[tuple[Room, commands.Post]]
"""Where a stream begins, and as what message, once that is known."""

_ME = "\0me"
"""Stands for this session's person until it is known who that is; no member can be called so."""


def _audience(audience: Literal["me"] | Iterable[str | Member] | None) -> list[str] | None:
    if audience is None:
        return None
    if audience == "me":
        return [_ME]
    if isinstance(audience, str):
        raise ValueError(f'audience must be "me" or a list of members, not {audience!r}')
    return [as_member_id(member) for member in audience]
