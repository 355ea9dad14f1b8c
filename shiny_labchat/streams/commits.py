"""
Streams of this process: what is new in them is stored, and only then shown.

Once per `TICK`, what is new in all of them, in whatever rooms, is stored in one job of the writer.
Where it ends is fixed before: what comes meanwhile waits for the next tick. While the database
cannot store, nothing new is shown; the streams go on, and what they have got by then is stored and
shown as soon as it can be.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from contextvars import Context
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.commands import Piece
from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import LabChatError
from shiny_labchat.store import Log, checkpoints, leases
from shiny_labchat.streams.content import Position, StreamContent
from shiny_labchat.streams.open_streams import OpenStreams

__all__ = ["RENEWAL", "RETRY_DELAY", "TICK", "OwnStream", "StreamCommits"]

logger = logging.getLogger("shiny_labchat")

TICK = 0.04
"""Shortest time between the beginnings of two commits of streams, in seconds."""
RENEWAL = 2.0
"""Pause between two renewals of the leases of streams, in seconds."""
RETRY_DELAY = 1.0
"""Pause before what could not be stored is tried again, in seconds."""


class OwnStream:
    """
    A stream that this process runs, and how much of it is stored. Made by `StreamCommits.add`.

    Attributes
    ----------
    stored
        The position up to which the content is stored.
    is_ending
        Whether its end, which has all of its content, is the next that is stored of it.
    is_waiting
        Whether it could not be stored, and will be tried again.
    """

    def __init__(self, room: LogKey, streams: OpenStreams, content: StreamContent) -> None:
        self.key = room, content.seq
        self.streams = streams
        self.content = content
        self.stored = content.end
        self.is_ending = False
        self.is_waiting = False

    def pieces(self) -> list[Piece]:
        """What was shown, and when, with what its end shows; as in `EndStream.pieces`."""
        parts = self.content.since(self.stored).parts
        last = self.content.piece(time.time_ns() // 1000, parts)
        return [*self.content.pieces, *([last] if parts or len(last) > 2 else [])]


class _News(NamedTuple):
    """What is new in a stream, the position where it ends, and what is noted of it."""

    of: OwnStream
    row: checkpoints.Row
    end: Position
    piece: Piece


class StreamCommits:
    """
    Stores and shows the streams of one log that are run in one event loop.

    Parameters
    ----------
    log
        The log.
    """

    def __init__(self, log: Log) -> None:
        self._log = log
        self._own: set[OwnStream] = set()
        self._changed = asyncio.Event()
        self._tasks = Tasks("streams")
        self._running: asyncio.Task[None] | None = None
        self._began = float("-inf")
        self._renew_at = 0.0

    def add(self, room: LogKey, streams: OpenStreams, content: StreamContent) -> OwnStream:
        """Store and show a stream of a room from now on, and renew its lease."""
        own = OwnStream(room, streams, content)
        if not self._own:
            self._renew_at = asyncio.get_running_loop().time() + RENEWAL
        self._own.add(own)
        if self._running is None or self._running.done():
            # Not in the context of the first stream: it runs as long as there is any.
            self._running = self._tasks.spawn(self._run(), context=Context())
        return own

    def remove(self, own: OwnStream) -> None:
        """Leave a stream alone from now on: its end is stored."""
        self._own.discard(own)
        if not self._own:
            self._changed.set()

    def changed(self) -> None:
        """Have what is new in the streams stored and shown at the next tick."""
        self._changed.set()

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._own:
            await self._wait()
            self._changed.clear()
            self._began = loop.time()
            await self._commit()
        self._running, self._changed = None, asyncio.Event()  # neither may keep the loop

    async def _wait(self) -> None:
        """Wait until something is new, or leases are to be renewed, and the last tick is over."""
        loop = asyncio.get_running_loop()
        renewal = loop.call_at(self._renew_at, self._changed.set)
        try:
            await self._changed.wait()
        finally:
            renewal.cancel()
        if (pause := self._began + TICK - loop.time()) > 0:
            await asyncio.sleep(pause)

    async def _commit(self) -> None:
        news = [new for own in tuple(self._own) if (new := self._news_of(own)) is not None]
        renewed = [own.key for own in self._own] if self._began >= self._renew_at else []
        if not news and not renewed:
            return
        self._renew_at = self._began + RENEWAL if renewed else self._renew_at
        try:
            stored = await self._store([new.row for new in news], renewed)
        except Exception as exc:
            self._renew_at = min(self._renew_at, self._began + RETRY_DELAY)
            self._try_again([new.of for new in news], exc)
            return
        self._show([new for new in news if new.of.key in stored])
        if lost := [new.of for new in news if new.of.key not in stored]:
            self._try_again(lost, LookupError("the log has no such streams"))

    def _news_of(self, own: OwnStream) -> _News | None:
        content, end = own.content, own.content.end
        if own.is_ending or own.is_waiting or end == own.stored:
            return None
        _, parts, truncate, deps = content.since(own.stored)
        try:
            piece = content.piece(time.time_ns() // 1000, parts)
            row = checkpoints.row_of(own.key, checkpoints.Checkpoint(parts, deps, truncate, piece))
        except TypeError as exc:
            self._try_again([own], exc)
            return None
        return _News(own, row, end, piece)

    async def _store(
        self, rows: Sequence[checkpoints.Row], renewed: Sequence[checkpoints.StreamKey]
    ) -> set[checkpoints.StreamKey]:
        def job(conn: sa.Connection, now: int) -> set[checkpoints.StreamKey]:
            leased = leases.lease_time(conn)
            if renewed:
                checkpoints.renew(conn, leased, renewed)
            return checkpoints.keep(conn, leased, rows) if rows else set()

        return await self._log.write(job)

    def _show(self, news: Sequence[_News]) -> None:
        rooms: dict[OpenStreams, list[tuple[StreamContent, Position]]] = {}
        for own, _, end, piece in news:
            own.stored = end
            own.content.note(piece)
            rooms.setdefault(own.streams, []).append((own.content, end))
        for streams, stored in rooms.items():
            streams.show(stored)

    def _try_again(self, streams: Sequence[OwnStream], exc: Exception) -> None:
        for own in streams:
            own.is_waiting = True
        asyncio.get_running_loop().call_later(RETRY_DELAY, self._go_on, streams)
        unexpected = None if isinstance(exc, LabChatError) else exc
        logger.error(
            "what is new in %s is not stored, so nobody is shown it; trying again: %s",
            ", ".join(f"stream {own.key[1]} of room {own.key[0].id!r}" for own in streams)
            or "streams",
            exc,
            exc_info=unexpected,
        )

    def _go_on(self, streams: Sequence[OwnStream]) -> None:
        for own in streams:
            own.is_waiting = False
        self._changed.set()
