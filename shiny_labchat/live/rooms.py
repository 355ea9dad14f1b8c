"""The rooms that are open in one event loop."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextvars import Context

from shiny_labchat import metrics
from shiny_labchat.audit.prompts import told_of
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import LabChatError
from shiny_labchat.live.alive import Alive
from shiny_labchat.live.clocks import Clocks
from shiny_labchat.live.heard import Heard
from shiny_labchat.live.held import publish_left
from shiny_labchat.live.lingering import LingeringRooms
from shiny_labchat.live.logs import LiveLogs
from shiny_labchat.live.peers import Peers
from shiny_labchat.live.people import LivePeople
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.whole import recently_read
from shiny_labchat.store import Committed, Log, Person

__all__ = ["LiveRooms"]

logger = logging.getLogger("shiny_labchat")

PAGE_RETURNS_WITHIN = 30.0
"""How long a page that has gone may take to come back to its held messages, in seconds."""


class LiveRooms:
    """
    The live rooms of one log in one event loop.

    Parameters
    ----------
    log
        The log.
    asks
        Whether a callback asks for presence in a room.
    returns_within
        See `PAGE_RETURNS_WITHIN`; None: as long as that.

    Attributes
    ----------
    log
        As given.
    alive
        Who is here, idle, away or gone in them.
    clocks
        What is due in them by the time of their people.
    lingering
        The rooms that nobody has open any more.
    logs
        The logs of studies and lobbies.
    people
        The people of studies who have pages.
    """

    def __init__(
        self,
        log: Log,
        asks: Callable[[LogKey], bool] = lambda room: False,
        returns_within: float | None = None,
    ) -> None:
        self.log = log
        self._returns_within = returns_within
        self.lingering = LingeringRooms()
        self.logs = LiveLogs(log)
        self._peers = Peers(lambda: log.bus)
        self._rooms: dict[LogKey, LiveRoom] = {}
        self._tasks = Tasks("held messages")
        self._gone: dict[tuple[LogKey, str], asyncio.Task[None]] = {}
        self._heard = heard = Heard(log)
        self.clocks = Clocks(log)
        self.alive = Alive(log, self._rooms.values, self.open, asks, heard, self.clocks.note)
        self.people = LivePeople(log, heard)
        log.listen(self._hear)

    async def open(self, key: LogKey) -> LiveRoom:
        """
        Open a live room, loading it if nobody has it open; close it with `leave`.

        Raises
        ------
        Refused
            ``no_room``: there is no such room.
        """
        room = self._rooms.get(key)
        if room is None:
            room = self._rooms[key] = self._again(key) or self._new(key)
            self.log.watch(key)
            metrics.room_opened()
            self.alive.begin()
        room.users += 1
        try:
            await room.loaded()
        except BaseException:
            room.leave()
            raise
        self._peers.open(key, room.peers)
        self.clocks.note(room)
        return room

    def opened(self, key: LogKey) -> LiveRoom | None:
        """A room that somebody has open here; None: nobody has."""
        return self._rooms.get(key)

    def _again(self, key: LogKey) -> LiveRoom | None:
        room = self.lingering.take(key)
        if room is not None:
            room.reopen()
        return room

    def _new(self, key: LogKey) -> LiveRoom:
        return LiveRoom(self.log, key, self._close, self._page_gone, self._withdrawn)

    def _hear(self, news: list[Committed]) -> None:
        for committed in news:
            if committed.log.kind != "room":
                self.logs.hear(committed)
            elif (room := self._rooms.get(committed.log)) is not None:
                room.hear(committed)

    def _close(self, room: LiveRoom) -> None:
        if self._rooms.get(room.key) is room:
            del self._rooms[room.key]
            self.log.unwatch(room.key)
            metrics.room_closed()
            self._peers.close(room.key, room.peers)
            self.clocks.forget(room)
            if room.can_linger:
                room.streams.forget_ended()
                self.lingering.keep(room)

    def _withdrawn(self, room: LiveRoom, member: str) -> None:
        self.forget(Person(room.key.study, member))

    def forget(self, person: Person) -> None:
        """Forget somebody whose data was withdrawn, by the id that they had."""
        self._tasks.spawn(self._forget(person), context=Context())
        self.forget_unused()

    async def _forget(self, person: Person) -> None:
        try:
            await self._heard.forget(person)
        except LabChatError as exc:
            logger.error("when somebody who has withdrawn was last seen may be stored: %s", exc)

    def forget_unused(self) -> None:
        """Forget what is kept only to be found again: somebody has withdrawn."""
        self.lingering.clear()
        recently_read().clear()
        told_of(self.log).clear()

    def _page_gone(self, room: LiveRoom, page: str) -> None:
        self._publish_later(room.key, page)

    def _publish_later(self, key: LogKey, page: str) -> None:
        earlier = self._gone.get((key, page))
        if earlier is not None:
            earlier.cancel()
        publishing = self._publish_left(key, page)
        self._gone[key, page] = self._tasks.spawn(publishing, context=Context())

    async def _publish_left(self, key: LogKey, page: str) -> None:
        within = self._returns_within
        await asyncio.sleep(PAGE_RETURNS_WITHIN if within is None else within)
        del self._gone[key, page]
        room = self._rooms.get(key)
        if room is not None and room.is_here(page):
            return
        if self.log.is_shared and await self._is_elsewhere(key, page):
            self._publish_later(key, page)  # its process may be killed before it has done it
            return
        await publish_left(self.log, key, page)

    async def _is_elsewhere(self, key: LogKey, page: str) -> bool:
        """Whether a page has anything open in another process."""
        try:
            room = await self.open(key)
        except LabChatError:  # as what is published then
            return False
        try:
            return any(await room.peers.ask_for_page(page))
        finally:
            room.leave()
