"""The other processes of a lab, as the rooms of one event loop know them: over the lab's bus."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import Context
from itertools import count
from typing import Any

from shiny_labchat.bus import Bus, Subscriber
from shiny_labchat.bus.messages import topic_of
from shiny_labchat.domain.events import LogKey
from shiny_labchat.live.room_peers import RoomPeers

__all__ = ["HERE_EVERY", "Peers"]

HERE_EVERY = 3.0
"""Pause between two messages that say who is here, though nothing has changed, in seconds."""


class Peers:
    """
    The rooms that are open in one event loop, on a bus.

    Parameters
    ----------
    bus
        Returns the lab's bus; None: there is none, or not yet.
    """

    def __init__(self, bus: Callable[[], Bus | None]) -> None:
        self._find = bus
        self._bus: Bus | None = None
        self._subscriber: Subscriber | None = None
        self._rooms: dict[str, RoomPeers] = {}
        self._numbers = count(1)
        self._timer: asyncio.TimerHandle | None = None

    def open(self, key: LogKey, room: RoomPeers) -> None:
        """Connect a room with other processes, until `close`; it has been loaded."""
        bus = self._find()
        if bus is None or self._rooms.get(topic_of(key)) is room:
            return
        if self._subscriber is None:
            self._bus, self._subscriber = bus, bus.subscriber(self._hear, self._changed)
        self._rooms[topic_of(key)] = room
        room.open(self._subscriber, self._numbers)
        self._begin()

    def close(self, key: LogKey, room: RoomPeers) -> None:
        """End what `open` has begun."""
        room.close()
        topic = topic_of(key)
        if self._rooms.get(topic) is room:
            del self._rooms[topic]

    def _hear(self, topic: str, sender: str, message: Any) -> None:
        room = self._rooms.get(topic)
        if room is not None:
            room.hear(sender, message)

    def _changed(self, is_up: bool) -> None:
        if is_up:
            for room in self._rooms.values():
                room.begin_again()

    def _begin(self) -> None:
        if self._timer is None and self._rooms:
            loop = asyncio.get_running_loop()
            # Not in the context of who opens a room: one round begins the next, with its context.
            self._timer = loop.call_later(HERE_EVERY, self._repeat, context=Context())

    def _repeat(self) -> None:
        self._timer = None
        is_up = self._bus is not None and self._bus.is_up
        for room in self._rooms.values():
            room.repeat(is_up=is_up)
        self._begin()
