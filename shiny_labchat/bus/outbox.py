"""What waits to be sent over a bus; any thread may add to it."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Mapping

from shiny_labchat.bus.base import Message
from shiny_labchat.bus.messages import bell, bells
from shiny_labchat.domain.events import LogKey

__all__ = ["ROOMS", "WAITING", "Outbox"]

WAITING = 10_000
"""Most messages that wait; above it the oldest are dropped, as if the bus had lost them."""
ROOMS = 10_000
"""Most rooms whose bells wait; above it one bell for all is rung instead."""


class Outbox:
    """
    The bells and messages of one process.

    Bells of a room that come together are one. They wait until there is a connection; messages
    are dropped by `drop` when there is none.

    Parameters
    ----------
    sender
        Who sends them.
    """

    def __init__(self, sender: str) -> None:
        self._sender = sender
        self._lock = threading.Lock()
        self._rooms: dict[LogKey, int] = {}
        self._are_all = False
        self._messages: deque[Message] = deque(maxlen=WAITING)

    def ring(self, rooms: Mapping[LogKey, int]) -> None:
        """Say that events are stored in rooms, with their newest seqs."""
        with self._lock:
            self._rooms.update(rooms)
            if len(self._rooms) > ROOMS:
                self._rooms.clear()
                self._are_all = True

    def put(self, message: Message) -> None:
        """Send a message."""
        with self._lock:
            self._messages.append(message)

    def drop(self) -> None:
        """Drop all messages, but not the bells."""
        with self._lock:
            self._messages.clear()

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        return not (self._rooms or self._are_all or self._messages)

    def take(self, *, by_room: bool = False) -> list[Message]:
        """All that waits, bells first; `by_room`: also on the topics of their rooms."""
        with self._lock:
            rooms, self._rooms = self._rooms, {}
            are_all, self._are_all = self._are_all, False
            messages = [*self._messages]
            self._messages.clear()
        rung = bells(self._sender, {} if are_all else rooms) if rooms or are_all else []
        own = [bell(self._sender, *each) for each in rooms.items()] if by_room else []
        return [*own, *rung, *messages]
