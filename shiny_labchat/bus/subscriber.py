"""What one event loop hears of a bus, and tells over it."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable
from typing import Any, Protocol

__all__ = ["WAITING", "Publishes", "Subscriber"]

logger = logging.getLogger("shiny_labchat")

WAITING = 10_000
"""Most messages that wait for an event loop; above it the oldest are dropped."""


class Publishes(Protocol):
    """The bus as a subscriber uses it; each method may be called in any thread."""

    def subscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Deliver the messages of a topic."""
        ...

    def unsubscribe(self, topic: str, subscriber: Subscriber) -> None:
        """Deliver the messages of a topic no more."""
        ...

    def publish(self, topic: str, sender: str, payload: object) -> None:
        """Send a message."""
        ...


class Subscriber:
    """
    One event loop's part of a bus. Made by `Bus.subscriber`; its methods are for that loop.

    Parameters
    ----------
    id
        Its id, as others know it.
    bus
        The bus.
    hear
        Called with the topic, the sender's id and the payload of each message of others.
    changed
        Called with True when the bus works (again), and with False when it does not.
    """

    def __init__(
        self,
        id: str,
        bus: Publishes,
        hear: Callable[[str, str, Any], None],
        changed: Callable[[bool], None],
    ) -> None:
        self.id = id
        self._bus = bus
        self._hear = hear
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._lock = threading.Lock()
        self._waiting: deque[Callable[[], None]] = deque(maxlen=WAITING)
        self._is_called = False

    @property
    def is_over(self) -> bool:
        """Whether its event loop has ended."""
        return self._loop.is_closed()

    @property
    def waiting(self) -> int:
        """How many messages wait for its event loop."""
        return len(self._waiting)

    def subscribe(self, topic: str) -> None:
        """Hear of a topic."""
        self._bus.subscribe(topic, self)

    def unsubscribe(self, topic: str) -> None:
        """Hear of a topic no more."""
        self._bus.unsubscribe(topic, self)

    def publish(self, topic: str, payload: object) -> None:
        """Tell all others who have subscribed to a topic."""
        self._bus.publish(topic, self.id, payload)

    # ── in the bus's thread ──

    def deliver(self, topic: str, sender: str, payload: Any) -> None:
        """Give it a message."""
        if sender != self.id:
            self._call(lambda: self._hear(topic, sender, payload))

    def tell(self, is_up: bool) -> None:
        """Say whether the bus works."""
        self._call(lambda: self._changed(is_up))

    def _call(self, what: Callable[[], None]) -> None:
        with self._lock:
            self._waiting.append(what)
            if self._is_called:
                return
            self._is_called = True
        try:
            self._loop.call_soon_threadsafe(self._take)
        except RuntimeError:  # the loop is closed
            with self._lock:
                self._waiting.clear()
                self._is_called = False

    def _take(self) -> None:
        with self._lock:
            waiting = [*self._waiting]
            self._waiting.clear()
            self._is_called = False
        for what in waiting:
            try:
                what()
            except Exception:
                logger.exception("a message of another process could not be taken")
