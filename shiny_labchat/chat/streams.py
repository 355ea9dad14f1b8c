"""
Streams of a developer's chunks into a room, for one chat of one session.

A stream belongs to the room: it goes on when the page that started it goes away.
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
from shiny_labchat.chat.handlers import handling
from shiny_labchat.concurrency import Tasks, contained, in_thread
from shiny_labchat.domain import commands
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.streams.transformed import StreamTransform

__all__ = ["MessageStream", "StreamTask", "current_stream", "pour", "streaming"]

logger = logging.getLogger("shiny_labchat")


@dataclass(slots=True)
class _Scope:
    """A stream that running code appends to, for a chat; it may end before that code does."""

    chat: object
    stream: RoomStream
    outer: _Scope | None
    is_over: bool = False


_scope: ContextVar[_Scope | None] = ContextVar("scope", default=None)
"""The innermost stream that the running code appends to; None: there is none."""


def current_stream(chat: object) -> RoomStream | None:
    """The stream of a chat that the running code appends to; None: there is none."""
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
        The session whose app serves the dependencies of UI in it.
    """

    def __init__(self, stream: RoomStream, session: Session) -> None:
        self._stream = stream
        self._session = session
        self._begin = stream.mark()

    async def append(self, message_chunk: Any) -> None:
        """
        Append a chunk.

        Parameters
        ----------
        message_chunk
            Any chunk that :meth:`Chat.append_message_stream` takes.
        """
        content = as_chunk(message_chunk, self._session)
        await self._stream.append(content.parts, content.deps)

    async def replace(self, message_chunk: Any) -> None:
        """Replace all that was appended since this context began with a chunk."""
        content = as_chunk(message_chunk, self._session)  # an invalid chunk must remove nothing
        self._stream.truncate(self._begin)
        await self._stream.append(content.parts, content.deps)

    async def clear(self) -> None:
        """Remove all that was appended since this context began."""
        self._stream.truncate(self._begin)
        await self._stream.append([])


class StreamTask(reactive.ExtendedTask[[], str]):
    """
    The extended task of a stream: ``result()``, ``status()``, ``cancel()``.

    The stream itself is another task, which belongs to the room and outlives the session.

    Parameters
    ----------
    stream
        The stream itself; it returns the whole text at its end.
    """

    def __init__(self, stream: Awaitable[str] | None = None) -> None:
        self._stream = None if stream is None else asyncio.ensure_future(stream)

        async def watch() -> str:
            assert self._stream is not None
            return await asyncio.shield(self._stream)

        # A session would keep something of each of its reactive values until it ends.
        with shiny_internals.without_names(), session_context(None):
            super().__init__(watch)
        if self._stream is not None:
            _tasks.keep(self._stream)
            # Not in the handler's own context: at the task's end, other people's outputs run in it.
            context = copy_context()
            context.run(handling.set, None)
            context.run(_scope.set, None)
            context.run(self.invoke)

    def cancel(self) -> None:
        """Stop the stream; its text so far stays, marked as stopped."""
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
    begun: Callable[[int], object] | None = None,
) -> str:
    """
    Stream chunks into a room until there are no more.

    Parameters
    ----------
    chunks
        The pieces of the message; an iterable that is not async is read in a thread.
    chat, room, command
        The chat, the room, and the command that posts the message.
    session
        The session in whose context the chunks are made.
    failed
        Called with the error if the stream fails.
    transform
        Changes the text before it is shown; None: it is shown as it is.
    begun
        Called with the seq of the stream's message when it has its place in the room.

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
        if stream is None:  # posted before, perhaps by another visitor's session
            return ""
        if begun is not None:
            begun(stream.seq)
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
    """Log and report an error, as the app may never read the stream's result."""
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
    Open a stream in a room; its text is stored at the end, even after an error.

    Parameters
    ----------
    chat
        The chat; inside, what it streams is appended to this stream.
    room, command
        The room, and the command that posts the message.
    stop
        Called when a person stops the stream; None: later chunks are only ignored.
    transform
        Changes the text before it is shown; None: it is shown as it is.

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
    """Yield the chunks; if left early, close their generator, which ends a model's request."""
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
    An iterable that is read in threads; after a stop, one thread may still be reading.

    All reads share one context, because a generator may set a context variable before a yield and
    reset it after.
    """

    def __init__(self, chunks: Iterable[Any]) -> None:
        self._context = copy_context()
        self._pieces: Iterator[Any] = self._context.run(iter, chunks)
        self._turn = threading.Lock()

    def next(self) -> Any:
        with self._turn:
            return self._context.run(next, self._pieces, _END)

    def close_soon(self) -> None:
        """Close the iterable, if it is a generator, as soon as its current read has ended."""
        if isinstance(self._pieces, Generator):
            _tasks.spawn(in_thread(self._close))

    def _close(self) -> None:
        with self._turn:
            self._context.run(cast("Generator[Any]", self._pieces).close)


_END = object()
