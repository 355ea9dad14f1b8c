"""Who asks a model at the same time in a room: one reply after the other, in all processes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from heapq import heappop, heappush
from itertools import count
from weakref import WeakValueDictionary

from shiny_labchat.domain.commands import REPLY
from shiny_labchat.domain.events import LogKey
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import live_rooms
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Log
from shiny_labchat.streams.content import StreamContent

__all__ = ["OthersReplies", "ReplyQueue", "reply_turn"]

LOOK_AGAIN = 1.0
"""How often it is looked for the end of others' replies, if nothing tells of it, in seconds."""


class ReplyQueue:
    """The queue of replies in a room: one after the other, so that each knows the earlier ones."""

    def __init__(self) -> None:
        self._waiting: list[tuple[int, int, asyncio.Future[None]]] = []
        self._numbers = count()
        self._is_taken = False

    @asynccontextmanager
    async def turn(self, seq: int) -> AsyncGenerator[None]:
        """Wait for the reply under way, and for those waiting to reply to earlier messages."""
        if self._is_taken:
            mine: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            heappush(self._waiting, (seq, next(self._numbers), mine))
            try:
                await mine
            except asyncio.CancelledError:
                if mine.done() and not mine.cancelled():
                    self._next()
                raise
        self._is_taken = True
        try:
            yield
        finally:
            self._next()

    def _next(self) -> None:
        self._is_taken = False
        while self._waiting and not self._is_taken:
            future = heappop(self._waiting)[2]
            if not future.done():
                future.set_result(None)
                self._is_taken = True


class OthersReplies:
    """
    The replies in a room that other processes stream.

    Parameters
    ----------
    live
        The room.
    """

    def __init__(self, live: LiveRoom) -> None:
        self._live = live

    async def ended(self, before: int) -> None:
        """
        Wait until there are none with a smaller seq.

        Those of a process that was killed end soon, see `streams.remote`.

        Parameters
        ----------
        before
            The seq: of replies that are opened at the same moment in several processes, each waits
            for the earlier ones.
        """
        live = self._live
        while live.state.seq + 1 < before and await live.catch_up():
            pass
        news = asyncio.Event()
        unfollow = live.follow(lambda events: news.set())
        try:
            while self._are_any(before) and not live.is_void:
                news.clear()
                with suppress(TimeoutError):
                    await asyncio.wait_for(news.wait(), LOOK_AGAIN)
        finally:
            unfollow()

    def _are_any(self, before: int) -> bool:
        streams = self._live.streams.open.values()
        return any(each.seq < before and _is_others(each) for each in streams)


def _is_others(stream: StreamContent) -> bool:
    cid = stream.opening.cid
    return stream.stop is None and cid is not None and cid.startswith(REPLY)


@asynccontextmanager
async def reply_turn(room: Room, seq: int) -> AsyncGenerator[OthersReplies]:
    """Wait for the turn to reply to a message, in a room whose other replies are given."""
    async with _queue_of(room.log, room.key).turn(seq):
        live = await live_rooms(room.log).open(room.key)
        try:
            others = OthersReplies(live)
            # Not for those that begin meanwhile: a process that has many would let nobody in.
            await others.ended(before=live.state.seq + 1)
            yield others
        finally:
            live.leave()


def _queue_of(log: Log, key: LogKey) -> ReplyQueue:
    queue = _queues.get((log, key))
    if queue is None:
        queue = _queues[log, key] = ReplyQueue()
    return queue


_queues: WeakValueDictionary[tuple[Log, LogKey], ReplyQueue] = WeakValueDictionary()
