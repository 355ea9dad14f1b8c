"""What each kind of bus does, and how it says that it cannot."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple, Protocol

__all__ = ["BusDown", "Hear", "Message", "Transport"]


class BusDown(ConnectionError):
    """The server is not reachable, or messages were lost: connect again, and look at the log."""


class Message(NamedTuple):
    """
    One message.

    Parameters
    ----------
    topic
        What it is about, such as a room: letters, digits and dots.
    data
        JSON without line breaks, at most `LARGEST` bytes (`messages.py`).
    """

    topic: str
    data: bytes


Hear = Callable[[Message], None]


class Transport(Protocol):
    """
    One connection to a server. It may lose, double, delay and reorder messages.

    Whatever fails raises `BusDown`; then it is closed, and another one is made.
    """

    @property
    def has_topics(self) -> bool:
        """Whether the server hands on only what was subscribed to, and not all to everybody."""
        ...

    async def open(self, lab: str, hear: Hear) -> None:
        """Connect; `hear` is called with the messages of the lab's subscribed topics, own too."""
        ...

    async def subscribe(self, topics: Collection[str]) -> None:
        """Hear of these topics, too."""
        ...

    async def unsubscribe(self, topics: Collection[str]) -> None:
        """Hear of these topics no more."""
        ...

    async def publish(self, messages: Sequence[Message]) -> None:
        """Send messages to all who have subscribed to their topics."""
        ...

    async def run(self) -> None:
        """Receive messages until the connection is lost."""
        ...

    async def close(self) -> None:
        """Give up the connection."""
        ...
