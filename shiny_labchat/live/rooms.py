"""The rooms that are open in one event loop."""

from __future__ import annotations

import asyncio

from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.live.held import publish_left
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import Committed, Log

__all__ = ["LiveRooms"]

PAGE_RETURNS_WITHIN = 30.0
"""How long a page that has gone may take to come back to its held messages, in seconds."""


class LiveRooms:
    """The live rooms of one log in one event loop."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self._rooms: dict[RoomKey, LiveRoom] = {}
        self._tasks = Tasks("held messages")
        self._gone: dict[tuple[RoomKey, str], asyncio.Task[None]] = {}
        log.listen(self._hear)

    async def open(self, key: RoomKey) -> LiveRoom:
        """
        Open a live room, loading it if nobody has it open; close it with `leave`.

        Raises
        ------
        Refused
            ``no_room``: there is no such room.
        """
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = LiveRoom(self.log, key, self._close, self._page_gone)
            self.log.watch(key)
        room.users += 1
        try:
            await room.loaded()
        except BaseException:
            room.leave()
            raise
        return room

    def _hear(self, news: list[Committed]) -> None:
        for committed in news:
            room = self._rooms.get(committed.room)
            if room is not None:
                room.hear(committed)

    def _close(self, room: LiveRoom) -> None:
        if self._rooms.get(room.key) is room:
            del self._rooms[room.key]
            self.log.unwatch(room.key)

    def _page_gone(self, room: LiveRoom, page: str) -> None:
        earlier = self._gone.get((room.key, page))
        if earlier is not None:
            earlier.cancel()
        self._gone[room.key, page] = self._tasks.spawn(self._publish_left(room.key, page))

    async def _publish_left(self, key: RoomKey, page: str) -> None:
        await asyncio.sleep(PAGE_RETURNS_WITHIN)
        del self._gone[key, page]
        room = self._rooms.get(key)
        if room is None or not room.is_here(page):
            await publish_left(self.log, key, page)
