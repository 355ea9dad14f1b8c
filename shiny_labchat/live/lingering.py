"""Live rooms that nobody has open any more, kept for those who open them again."""

from __future__ import annotations

import asyncio
from contextvars import Context
from typing import NamedTuple

from shiny_labchat.caches import BoundedCache
from shiny_labchat.domain.events import LogKey
from shiny_labchat.live.room import LiveRoom

__all__ = ["LINGER", "LINGER_BYTES", "LingeringRooms"]

LINGER = 300.0
"""How long a room that nobody has open stays in memory, in seconds."""
LINGER_BYTES = 64 * 2**20
"""Most memory of all rooms that nobody has open, in bytes; it is estimated: `LiveRoom.size`."""


class _Lingering(NamedTuple):
    room: LiveRoom
    until: float


class LingeringRooms:
    """
    The rooms of one event loop that were left by all; those left first are dropped first.

    Nothing is heard for them: a room that is taken out again has to read what it has missed.

    Parameters
    ----------
    most
        Most memory of all of them, in bytes; a larger room is not kept.
    seconds
        How long each is kept, in seconds; None: as long as `LINGER` says.
    """

    def __init__(self, most: int = LINGER_BYTES, seconds: float | None = None) -> None:
        self._seconds = LINGER if seconds is None else seconds
        self._rooms: BoundedCache[LogKey, _Lingering] = BoundedCache(most)
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._rooms)

    @property
    def size(self) -> int:
        """The estimated memory of all of them, in bytes."""
        return self._rooms.size

    def keep(self, room: LiveRoom) -> None:
        """Keep a room that all have left."""
        until = asyncio.get_running_loop().time() + self._seconds
        self._rooms.put(room.key, _Lingering(room, until), room.size)
        self._wait()

    def take(self, key: LogKey) -> LiveRoom | None:
        """Take a room out; None: it is not there."""
        kept = self._rooms.pop(key)
        return None if kept is None else kept.room

    def clear(self) -> None:
        """Keep none of them any longer: what was read of them may not be so any more."""
        self._rooms.clear()

    def _wait(self) -> None:
        oldest = self._rooms.oldest()
        if oldest is not None and self._timer is None:
            loop = asyncio.get_running_loop()
            # Not in the context of who left the room: there is always a timer that has it.
            self._timer = loop.call_at(oldest.until, self._expire, context=Context())

    def _expire(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        while (oldest := self._rooms.oldest()) is not None and oldest.until <= now:
            self._rooms.pop(oldest.room.key)
        self._wait()
