"""A stream that this process runs: opened in the log, shown as it grows, closed in the log."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import chain, repeat
from typing import Any, Literal

from shiny_labchat.concurrency import retry
from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Part
from shiny_labchat.domain.messages import Message, text_of
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.models.thoughts import ThoughtSplitter
from shiny_labchat.storable import storable
from shiny_labchat.streams.chunks import ChunkJoiner
from shiny_labchat.streams.content import StreamContent
from shiny_labchat.streams.transformed import StreamTransform, TransformedStream

__all__ = ["RoomStream"]

logger = logging.getLogger("shiny_labchat")

RETRY_DELAYS = (1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
"""Pauses before each further try to store an end, in seconds; the last one is repeated."""
YIELD_AFTER = 0.005
"""How long a stream may add content without yielding to other tasks, in seconds."""

Ending = Literal["done", "stopped", "failed", "interrupted"]


class RoomStream:
    """
    A message that is posted to a room piece by piece. Made by :meth:`open`.

    Parameters
    ----------
    room
        The room.
    live
        The live room; it is left when the stream is closed.
    stream
        The content that viewers are shown.
    stop
        Ends the stream early; None: :meth:`stop` does.
    transform
        Returns what is shown of the original content; None: all is shown.

    Attributes
    ----------
    turns
        The chatlas turns to store with the message, see :class:`Message`.
    """

    def __init__(
        self,
        room: Room,
        live: LiveRoom,
        stream: StreamContent,
        stop: Callable[[], object] | None,
        transform: StreamTransform | None,
    ) -> None:
        self.turns: Sequence[Mapping[str, Any]] = ()
        self._room = room
        self._runtime = Runtime.of(room.log)
        self._live = live
        self._stream = stream
        self._stop = stop or self.stop
        self._commits = self._runtime.commits
        self._own = self._commits.add(room.key, live.streams, stream)
        self._transformed = transform and TransformedStream(
            stream, transform, self._commits.changed
        )
        self._said = self._transformed.said if self._transformed else stream
        self._joiner = ChunkJoiner()
        self._thoughts = ThoughtSplitter()
        self._busy_since: float | None = None
        self._failure: Exception | None = None
        self._closing: asyncio.Task[None] | None = None
        stream.stop = self._be_stopped
        self._runtime.own_streams.add((room.key, self.seq))
        self._runtime.streams.add(self)

    @classmethod
    async def open(
        cls,
        room: Room,
        command: commands.Post,
        stop: Callable[[], object] | None,
        transform: StreamTransform | None = None,
    ) -> RoomStream | None:
        """
        Open a stream; return None if a message with its id exists already.

        If the caller is cancelled meanwhile, the stream is ended.

        Parameters
        ----------
        room
            The room.
        command
            The message that the stream will be; its parts come later.
        stop
            Called when somebody who may do so stops the stream; None: it just ends.
        transform
            Returns what is shown of the original content; None: all is shown.

        Raises
        ------
        Refused
            A rule of the room refuses the message.
        """
        opening = asyncio.create_task(cls._open(room, command, stop, transform))
        Runtime.of(room.log).tasks.keep(opening)
        try:
            return await asyncio.shield(opening)
        except asyncio.CancelledError:
            opening.add_done_callback(_end_again)
            raise

    @classmethod
    async def _open(
        cls,
        room: Room,
        command: commands.Post,
        stop: Callable[[], object] | None,
        transform: StreamTransform | None,
    ) -> RoomStream | None:
        live = await _opened(room)
        try:
            outcome = await room.submit(replace(command, is_live=True))
            if not outcome.is_repeat:
                stream = live.streams.begin(outcome.of_message)
                return cls(room, live, stream, stop, transform)
        except BaseException:
            live.leave()
            raise
        live.leave()
        return None

    @property
    def is_open(self) -> bool:
        """Whether more content can be added."""
        return self._closing is None

    @property
    def seq(self) -> int:
        """The seq of the stream's message."""
        return self._stream.seq

    @property
    def text(self) -> str:
        """The original content so far, as text."""
        return text_of(self._said.parts)

    @property
    def has_said(self) -> bool:
        """Whether there is any content so far."""
        return self._said.end.pieces > 0

    async def heard(self) -> list[Message]:
        """
        What a model is told of the room so far; open streams are not included.

        In a room with a network it is what all have heard who hear this stream.
        """
        whole, state, opened = await self._live.read(), self._live.state, self._stream.opening.data
        if "by_network" not in opened:
            return list(whole.told(state.told_after()))
        hearing, hearers = state.hearing, opened["audience"]
        readers = [hearing.same_place(each) for each in hearers if each in hearing.memberships]
        return list(whole.told_of_common(state.told_after(hearers), readers))

    def mark(self) -> int:
        """End the text so far, and return the number of pieces, for :meth:`truncate`."""
        if self.is_open and (rest := self._rest()):
            self._append(rest)
        return self._said.end.pieces

    async def append(self, parts: Sequence[Part], deps: Sequence[Mapping[str, Any]] = ()) -> None:
        """Add content; empty `parts` have a taking back shown. Thoughts in markdown are split."""
        await self._yield_in_time()
        if not self.is_open:
            return
        decided = self._thoughts.add(self._joiner.join(parts))
        if decided or deps or not parts:
            self._append(decided, storable(deps))

    def _rest(self) -> list[Part]:
        """What waits for more text to be decided."""
        return [*self._thoughts.add(self._joiner.end()), *self._thoughts.end()]

    def _append(self, parts: Sequence[Part], deps: Sequence[Mapping[str, Any]] = ()) -> None:
        if self._transformed is not None:
            self._transformed.add(parts, deps)
        else:
            self._stream.append(parts, deps)
        self._commits.changed()

    async def _yield_in_time(self) -> None:
        """Yield to other tasks, if content is added for long without any waiting."""
        loop = asyncio.get_running_loop()
        if self._busy_since is None:
            self._busy_since = loop.time()
            loop.call_soon(self._has_waited)
        elif loop.time() - self._busy_since > YIELD_AFTER:
            await asyncio.sleep(0)

    def _has_waited(self) -> None:
        self._busy_since = None

    def truncate(self, pieces: int) -> None:
        """Take back all but the first :attr:`pieces`."""
        if not self.is_open:
            return
        self._rest()
        if self._transformed is not None:
            self._transformed.truncate(pieces)
        else:
            self._stream.truncate(pieces)
        self._commits.changed()

    # ── the end ──

    def _be_stopped(self) -> None:
        if self.is_open:  # else it is ending already, as it should
            self._stop()

    def stop(self) -> None:
        """End the stream as "stopped"; content added from now on is ignored."""
        self._close_soon("stopped", None)

    async def close(self, how: Ending, error: str | None = None) -> None:
        """
        End the stream, and wait until its content is stored as the message.

        This is done once, and to its end even if the caller is cancelled.

        Parameters
        ----------
        how
            Whether the stream is complete, was stopped, has failed, or the server ends.
        error
            The error, for the log only.
        """
        await asyncio.shield(self._close_soon(how, error))
        if how == "done" and self._failure is not None:
            raise self._failure

    def _close_soon(self, how: Ending, error: str | None) -> asyncio.Task[None]:
        if self._closing is None:
            self._closing = asyncio.create_task(self._close(how, error))
            self._runtime.tasks.keep(self._closing)
        return self._closing

    async def _close(self, how: Ending, error: str | None) -> None:
        try:
            shown, error = await self._show_rest(how, error)
            end = commands.EndStream.of_stream(
                self._stream.opening, self._stream.parts, shown, self._stream.deps
            )
            text = self.text
            original = None if text == text_of(end.parts) else text
            turns = storable(self.turns)
            self._own.is_ending = True
            end = replace(end, error=storable(error), turns=turns, original=original)
            await self._store(replace(end, pieces=self._own.pieces()))
        except BaseException:
            self._stream.stop = None  # nothing more comes
            logger.exception(
                "the end of stream %d in room %r is not stored", *(self.seq, self._room.id)
            )
            raise
        finally:
            self._commits.remove(self._own)
            self._runtime.own_streams.discard((self._room.key, self.seq))
            self._runtime.streams.discard(self)
            self._live.leave()

    async def _show_rest(
        self, how: Ending, error: str | None
    ) -> tuple[commands.Ending, str | None]:
        """Show the rest of the content; return how the stream ends, and its error."""
        try:
            self._append(self._rest())
            if self._transformed is not None and not await self._transformed.end():
                return "withheld", error
        except Exception as exc:
            logger.error(
                "the content of stream %d in room %r could not be transformed: %r",
                *(self.seq, self._room.id, exc),
            )
            self._failure = exc
            return "failed", error or f"{type(exc).__name__}: {exc}"
        return how, error

    async def _store(self, end: commands.EndStream) -> None:
        try:
            await self._submit(end)
        except Exception as exc:
            logger.exception(
                "the end of stream %d in room %r cannot be stored as it is; it is stored as failed",
                *(self.seq, self._room.id),
            )
            plain = commands.EndStream(end.of, end.parts, "failed", audience=end.audience)
            await self._submit(replace(plain, error=ascii(exc)))

    async def _submit(self, end: commands.EndStream) -> None:
        async for _ in retry(chain(RETRY_DELAYS, repeat(RETRY_DELAYS[-1]))):
            if self._live.is_void:
                return  # the database was replaced: the stream is not in the new one
            try:
                await self._room.submit(end)
                return
            except StoreError as exc:
                seq, room = self.seq, self._room.id
                logger.error(
                    "the end of stream %d in room %r could not be stored; trying again: %s",
                    *(seq, room, exc),
                )


def _end_again(opening: asyncio.Task[RoomStream | None]) -> None:
    if opening.cancelled() or opening.exception() is not None:
        return
    stream = opening.result()
    if stream is not None:
        stream.stop()


async def _opened(room: Room) -> LiveRoom:
    rooms = Runtime.of(room.log).live
    try:
        return await rooms.open(room.key)
    except Refused:
        await room.create()
        return await rooms.open(room.key)
