"""Streaming messages to a chat's room, and the replies of a model."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterable, Iterable
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from shiny import reactive

from shiny_labchat.chat.base import ChatBase
from shiny_labchat.chat.content import Content
from shiny_labchat.chat.handlers import handling
from shiny_labchat.chat.posts import ME, Audience, Icon, post_of
from shiny_labchat.chat.replies import Replies, reply_id
from shiny_labchat.chat.streams import MessageStream, StreamTask, current_stream, pour, streaming
from shiny_labchat.chat.waiting import let_wait
from shiny_labchat.domain import commands
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import Message, as_transformed
from shiny_labchat.lab.room import Room

__all__ = ["Streaming"]


class Streaming(ChatBase):
    """The part of a :class:`Chat` that streams messages."""

    _latest: reactive.Value[StreamTask]

    async def append_message_stream(
        self,
        message: Iterable[Any] | AsyncIterable[Any],
        *,
        icon: Icon = None,
        author: str | Member | None = None,
        audience: Audience = None,
        id: str | None = None,
    ) -> StreamTask:
        """
        Append a message piece by piece, while everybody watches and may write.

        It takes its place in the room when it begins: after the messages appended before, and
        before those appended next. It is logged as a message when it ends. It belongs to the room,
        and goes on when this page goes away. This session's person, and experimenters, can stop
        it.

        Parameters
        ----------
        message
            An (async) iterable of chunks: text (markdown), `HTML`, a Tag or TagList, a dictionary
            with `content` and `role`, or any type registered with
            `shinychat.message_content_chunk`, such as chatlas' contents. An iterable that is not
            async is read in a thread.
        icon, author, audience, id
            See :meth:`append_message`.

        Returns
        -------
        ExtendedTask
            The stream's task: ``result()`` is the whole text, and can be read reactively;
            ``cancel()`` stops the stream. The text so far then stays, marked as stopped.

        Raises
        ------
        LabChatError
            There is no room yet.
        """
        opening = Content([], "assistant", [])
        command = self._as_heard(post_of(opening, icon, author, audience, id))
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

        await self._as_told(replace(command, by=ME), begin)
        return task

    def _give_up_in_time(self, known: _Known) -> None:
        """Cancel the stream if the session ends before there is a room."""

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

        def begun(seq: int) -> None:
            self._appended(seq)
            has_place.set()

        try:
            told_to = room, told, self._session, failed, transform, begun
            return await let_wait(pour)(message, self, *told_to)
        finally:
            self._bookmarks.responded()

    async def _reply(self) -> None:
        """Let the model reply to the message that is being handled, if it wants to."""
        handled = handling.get()
        assert self._replies is not None and handled is not None
        message, room = as_transformed(handled.message), self._room()
        if not await self._replies.wants(message):
            return
        opening = self._as_heard(post_of(Content([], "assistant", [])))
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
            self._bookmarks.responded()

    @property
    def latest_message_stream(self) -> StreamTask:
        """
        Reactively read the task of the stream that this session began last.

        Its ``status()`` is "initial" before the first stream.
        """
        return self._latest()

    @asynccontextmanager
    async def message_stream_context(self) -> AsyncGenerator[MessageStream]:
        """
        Append to a stream by hand, inside ``async with``.

        By itself it appends a new streaming message. Inside another stream of this chat, such as
        in a model's tool that :meth:`append_message_stream` runs, it appends to that message;
        ``clear()`` and ``replace()`` then remove only what was appended in this context.

        This session's person, and experimenters, can stop it. The code inside then goes on, but
        what it appends is ignored.

        Yields
        ------
        MessageStream
            With ``append(chunk)``, ``replace(chunk)`` and ``clear()``.
        """
        stream = current_stream(self)
        if stream is not None:
            yield MessageStream(stream, self._session)
            return
        opening = self._as_heard(post_of(Content([], "assistant", [])))
        command = replace(opening, by=self._admission.member)
        try:
            transform = self._transforms.stream_transform
            async with streaming(self, self._room(), command, transform=transform) as stream:
                assert stream is not None  # it has no id that could have been used
                self._appended(stream.seq)
                yield MessageStream(stream, self._session)
        finally:
            self._bookmarks.responded()


_Known = asyncio.Future[tuple[Room, commands.Post]]
"""The room of a stream, and its command, once both are known."""
