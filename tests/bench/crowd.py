"""N people in one room, in one process, and what they do there."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from types import TracebackType

from websockets.exceptions import ConnectionClosed

from tests.bench.sides import Person, Side
from tests.bench.tally import Figures, Tally, line

__all__ = ["Crowd"]

QUIET = 0.7
"""Pause before each phase, in seconds; presence has been said by then."""
PATIENCE = 20.0
"""How long to wait for what has been said to arrive, in seconds; then it counts as lost."""


class Crowd:
    """
    The people of one room, from ``async with`` to their leaving.

    Parameters
    ----------
    side
        Whose room it is.
    port
        Where its server listens.
    size
        How many people.
    deflate
        Whether they accept compressed frames, as browsers do.
    """

    def __init__(self, side: Side, port: int, size: int, deflate: bool) -> None:
        self._side = side
        self._port = port
        self._size = size
        self._deflate = deflate
        self._people: list[Person] = []
        self._readers: list[asyncio.Task[None]] = []
        self._tally = Tally(0, range(0))
        self._next = 0

    async def __aenter__(self) -> Crowd:
        for k in range(self._size):
            self._people.append(await self._side.enter(self._port, self._deflate))
            self._readers.append(asyncio.create_task(self._read(k)))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        for reader in self._readers:
            reader.cancel()
        for person in self._people:
            person.chat.transport.abort()
            if person.page is not None:
                person.page.transport.abort()

    async def _read(self, k: int) -> None:
        try:
            async for frame in self._people[k].chat:
                assert isinstance(frame, str)
                self._tally.receive(k, frame)
        except ConnectionClosed:
            pass  # what they miss is counted

    async def talk(self, seconds: float, rate: float) -> Figures:
        """Say `rate` messages a second in all, in turn, at even distances."""
        numbers = await self._begin(max(1, round(seconds * rate)))
        start = time.perf_counter()
        for k, number in enumerate(numbers):
            await asyncio.sleep(start + k / rate - time.perf_counter())
            await self._say(number)
        return await self._end()

    async def burst(self, messages: int) -> Figures:
        """Say so many messages at once, each person their share of them."""
        numbers = await self._begin(messages)
        await asyncio.gather(*(self._say_all(numbers[k :: self._size]) for k in range(self._size)))
        return await self._end()

    async def _begin(self, messages: int) -> range:
        await asyncio.sleep(QUIET)
        numbers = range(self._next, self._next + messages)
        self._next += messages
        self._tally = Tally(self._size, numbers)
        return numbers

    async def _say_all(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            await self._say(number)

    async def _say(self, number: int) -> None:
        k = number % self._size
        frame = self._side.frame(number, line(number, k))
        self._tally.send(number)
        await self._people[k].chat.send(frame)

    async def _end(self) -> Figures:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._tally.complete.wait()
        except TimeoutError:
            pass  # what is missing counts as lost
        return self._tally.figures()
