"""A bus whose connection cannot be opened."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterator, Sequence
from itertools import count

import pytest

from shiny_labchat.bus import Bus
from shiny_labchat.bus.base import Hear, Message

TRIES = 4
"""How often it is tried while a test waits."""


class Broken:
    """A connection that fails in a way that nobody has foreseen."""

    def __init__(self, tries: Iterator[int]) -> None:
        self._tries = tries

    async def open(self, lab: str, hear: Hear) -> None:
        next(self._tries)
        raise RuntimeError("out of order")

    async def subscribe(self, topics: Collection[str]) -> None:
        raise RuntimeError("it is never open")

    async def unsubscribe(self, topics: Collection[str]) -> None:
        raise RuntimeError("it is never open")

    async def publish(self, messages: Sequence[Message]) -> None:
        raise RuntimeError("it is never open")

    async def run(self) -> None:
        raise RuntimeError("it is never open")

    async def close(self) -> None:
        """Nothing is open."""


async def test_what_is_not_foreseen_is_said_once_and_nothing_gathers(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def lab() -> str:
        return "lab"

    tried, reached = count(1), asyncio.Event()
    loop = asyncio.get_running_loop()

    def tries() -> Iterator[int]:
        for n in tried:
            if n > TRIES:
                loop.call_soon_threadsafe(reached.set)
            yield n

    given = tries()
    bus = Bus("broken", lambda: Broken(given), lab)
    subscriber = bus.subscriber(lambda topic, sender, said: None, lambda is_up: None)
    with caplog.at_level(logging.ERROR):
        for n in range(100):
            subscriber.subscribe(f"room.{n}")
            subscriber.unsubscribe(f"room.{n}")
        await reached.wait()
    bus.close()
    (line,) = caplog.records
    assert "out of order" in line.getMessage() and line.exc_info is not None
    assert bus.topics_to_tell == 0
