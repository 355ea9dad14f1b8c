"""
What a developer streams, for one chat of one session: chunks in, a stream of the room out.

The stream belongs to the room: it goes on when the page that started it goes away.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import (
    AsyncGenerator,
    AsyncIterable,
    Awaitable,
    Callable,
    Generator,
    Iterable,
    Iterator,
)
from contextlib import aclosing, asynccontextmanager
from contextvars import ContextVar, copy_context
from dataclasses import dataclass
from typing import Any, cast

from shiny import reactive
from shiny.session import Session, session_context

from shiny_labchat.chat import shiny_internals
from shiny_labchat.chat.content import as_chunk
from shiny_labchat.chat.handlers import handled_message
from shiny_labchat.concurrency import Tasks, contained, in_thread
from shiny_labchat.domain import commands
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.streams.transformed import StreamTransform

__all__ = ["MessageStream", "StreamTask", "current_stream", "pour", "streaming"]

logger = logging.getLogger("shiny_labchat")


@dataclass(slots=True)
class _Scope:
    """A stream that code speaks in, for a chat; it may be stopped before that code is done."""

    chat: object
    stream: RoomStream
    outer: _Scope | None
    is_over: bool = False


_scope: ContextVar[_Scope | None] = ContextVar("scope", default=None)
"""What the running code speaks in, if anything."""


def current_stream(chat: object) -> RoomStream | None:
    """The stream of a chat's that the running code speaks in, if any."""
    scope = _scope.get()
    while scope is not None and (scope.is_over or scope.chat is not chat):
        scope = scope.outer
    return scope and scope.stream


class MessageStream:
    """
    A stream to append to, see :meth:`Chat.message_stream_context`.

    Parameters
    ----------
    stream
        The stream.
    session
        Whose app serves what UI in it needs.
    """

    def __init__(self, stream: RoomStream, session: Session) -> None:
        self._stream = stream
        self._session = session
        self._begin = stream.pieces

    async def append(self, message_chunk: Any) -> None:
        """
        Append a chunk.

        Parameters
        ----------
        message_chunk
            Whatever :meth:`Chat.append_message_stream` takes as a chunk.
        """
        content = as_chunk(message_chunk, self._session)
        await self._stream.append(content.parts, content.deps)

    async def replace(self, message_chunk: Any) -> None:
        """Put a chunk in the place of all that was appended since this context began."""
        content = as_chunk(message_chunk, self._session)  # what is no chunk takes nothing back
        self._stream.truncate(self._begin)
        await self._stream.append(content.parts, content.deps)

    async def clear(self) -> None:
        """Take back all that was appended since this context began."""
        self._stream.truncate(self._begin)
        await self._stream.append([])


class StreamTask(reactive.ExtendedTask[[], str]):
    """
    Watches a stream, as an extended task: ``result()``, ``status()``, ``cancel()``.

    The stream itself is a task of the room's, which outlives the session.

    Parameters
    ----------
    stream
        What streams, and gives the whole text in the end.
    """

    def __init__(self, stream: Awaitable[str] | None = None) -> None:
        self._stream = None if stream is None else asyncio.ensure_future(stream)

        async def watch() -> str:
            assert self._stream is not None
            return await asyncio.shield(self._stream)

        with shiny_internals.without_names():
            super().__init__(watch)
        if self._stream is not None:
            _tasks.keep(self._stream)
            # Not in a handler's own context: when it ends, other people's outputs run in it.
            context = copy_context()
            context.run(handled_message.set, None)
            context.run(_scope.set, None)
            context.run(self.invoke)

    def cancel(self) -> None:
        """Stop the stream; what was said stays, marked."""
        if self._stream is not None:
            self._stream.cancel()


_tasks = Tasks("streams")


async def pour(
    chunks: Iterable[Any] | AsyncIterable[Any],
    chat: object,
    room: Room,
    command: commands.Post,
    session: Session,
    failed: Callable[[Exception], Awaitable[None]],
    transform: StreamTransform | None = None,
    begun: Callable[[], object] | None = None,
) -> str:
    """
    Stream chunks into a room until there are no more.

    Parameters
    ----------
    chunks
        What is said, piece by piece; one that is not async is read in a thread.
    chat, room, command
        For which chat, where, and as what message.
    session
        In whose context the chunks are made.
    failed
        Told what went wrong.
    transform
        What is shown of what is said; None: all of it.
    begun
        Called when it has its place in the room.

    Returns
    -------
    str
        The whole text.
    """
    task = asyncio.current_task()
    assert task is not None
    async with (
        _reporting(room, failed),
        streaming(chat, room, command, task.cancel, transform) as stream,
    ):
        if stream is None:  # said before, perhaps by another visitor's session
            return ""
        if begun is not None:
            begun()
        message_stream = MessageStream(stream, session)
        with session_context(session), reactive.isolate(), contained():
            async with aclosing(_one_by_one(chunks)) as pieces:
                async for chunk in pieces:
                    await message_stream.append(chunk)
    return stream.text


@asynccontextmanager
async def _reporting(
    room: Room, failed: Callable[[Exception], Awaitable[None]]
) -> AsyncGenerator[None]:
    """Nobody may ask what has become of a stream."""
    try:
        yield
    except Exception as exc:
        logger.error("a stream failed in room %r", room.id, exc_info=exc)
        await failed(exc)
        raise


@asynccontextmanager
async def streaming(
    chat: object,
    room: Room,
    command: commands.Post,
    stop: Callable[[], object] | None = None,
    transform: StreamTransform | None = None,
) -> AsyncGenerator[RoomStream | None]:
    """
    Speak in a room; when this ends, however it does, what was said is stored.

    Parameters
    ----------
    chat
        For which chat; what it says inside is said in this stream.
    room, command
        Where, and as what message.
    stop
        Called when somebody stops it; None: nothing that is said then is heard any more.
    transform
        What is shown of what is said; None: all of it.

    Yields
    ------
    RoomStream
        None: a message with this id was there already.
    """
    stream = await RoomStream.open(room, command, stop, transform)
    if stream is None:
        yield None
        return
    scope = _Scope(chat, stream, outer=_scope.get())
    _scope.set(scope)
    try:
        with contained():
            yield stream
    except asyncio.CancelledError:
        await stream.close("stopped")
        raise
    except BaseException as exc:
        await stream.close("failed", f"{type(exc).__name__}: {exc}")
        raise
    else:
        await stream.close("done")
    finally:
        scope.is_over = True
        _scope.set(scope.outer)  # not `reset`: an abandoned generator ends in another context


async def _one_by_one(chunks: Iterable[Any] | AsyncIterable[Any]) -> AsyncGenerator[Any]:
    """The chunks; a generator that is left in the middle is closed, and lets go of its model."""
    if isinstance(chunks, AsyncIterable):
        pieces = aiter(chunks)
        try:
            async for chunk in pieces:
                yield chunk
        finally:
            if isinstance(pieces, AsyncGenerator):
                await pieces.aclose()
    elif isinstance(chunks, str):
        yield chunks
    elif isinstance(chunks, (list, tuple)):
        for chunk in cast("Iterable[Any]", chunks):
            yield chunk
    else:
        turns = _Turns(chunks)
        try:
            while (chunk := await in_thread(turns.next)) is not _END:
                yield chunk
        except BaseException:
            turns.close_soon()
            raise


class _Turns:
    """
    An iterable that is read in threads; who stops it may leave one in it.

    All in one context: what a generator enters before a yield, it leaves after it.
    """

    def __init__(self, chunks: Iterable[Any]) -> None:
        self._context = copy_context()
        self._pieces: Iterator[Any] = self._context.run(iter, chunks)
        self._turn = threading.Lock()

    def next(self) -> Any:
        with self._turn:
            return self._context.run(next, self._pieces, _END)

    def close_soon(self) -> None:
        """Have it closed, if it is a generator, when it has come to its next chunk."""
        if isinstance(self._pieces, Generator):
            _tasks.spawn(in_thread(self._close))

    def _close(self) -> None:
        with self._turn:
            self._context.run(cast("Generator[Any]", self._pieces).close)


_END = object()
