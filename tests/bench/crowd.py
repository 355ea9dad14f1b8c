"""N people in some rooms, in one process, and what they do there."""

from __future__ import annotations

import asyncio
import gc
from collections import Counter
from collections.abc import Callable, Sequence
from types import TracebackType

from websockets.exceptions import ConnectionClosed

from tests.bench.clock import beats, now, pause
from tests.bench.servers import Server
from tests.bench.sides import Person
from tests.bench.tally import Figures, Tally, line

__all__ = ["PATIENCE", "QUIET", "ROOM", "Crowd", "shared_out", "spread"]

ROOM = "bench"
"""The room, where there is one only."""
QUIET = 0.7
"""Pause before each phase, in seconds; presence has been said by then."""
PATIENCE = 15.0
"""How long to wait for what has been said to arrive, in seconds; then it counts as lost."""
AT_ONCE = 20
"""People who come in at the same time."""


def spread(rooms: int, size: int) -> list[str]:
    """The room of each person, when so many rooms have so many each; neighbours sit apart."""
    return [f"{ROOM}-{k % rooms}" for k in range(rooms * size)]


def shared_out(rooms: Sequence[str], ports: Sequence[int]) -> list[int]:
    """The port of each person: those of a room take turns, and no process has more than others."""
    seats: Counter[str] = Counter()
    first = {room: k for k, room in enumerate(dict.fromkeys(rooms))}
    found: list[int] = []
    for room in rooms:
        found.append(ports[(first[room] + seats[room]) % len(ports)])
        seats[room] += 1
    return found


class Crowd:
    """
    People in rooms, from ``async with`` to their leaving.

    Parameters
    ----------
    server
        Whose rooms they are.
    rooms
        The room of each person; a number: so many in one room.
    deflate
        Whether they accept compressed frames, as browsers do.

    Attributes
    ----------
    ramp
        How long it took until all were in, in seconds.
    frames
        Frames that all of them have received, on the chat's socket.
    numbers
        The messages of the last phase.
    """

    def __init__(self, server: Server, rooms: Sequence[str] | int, deflate: bool = False) -> None:
        self.ramp = 0.0
        self.frames = 0
        self.numbers = range(0)
        self._side = server.side
        self._rooms = [ROOM] * rooms if isinstance(rooms, int) else list(rooms)
        self._ports = shared_out(self._rooms, server.ports)
        self._deflate = deflate
        self._people: dict[int, Person] = {}
        self._readers: list[asyncio.Task[None]] = []
        self._tally = Tally(self._rooms, {})
        self._listener: Callable[[int, str], None] | None = None
        self._next = 0
        self._said_by: dict[int, int] = {}

    async def __aenter__(self) -> Crowd:
        start = now()
        free = asyncio.Semaphore(AT_ONCE)
        try:
            await asyncio.gather(*(self._enter(k, free) for k in range(len(self._rooms))))
        except BaseException:
            self._vanish()
            raise
        self.ramp = now() - start
        gc.collect()
        gc.disable()  # with hundreds of people here, a collection would pass for a slow server
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, tb: TracebackType | None
    ) -> None:
        gc.enable()
        self._vanish()
        for ended in await asyncio.gather(*self._readers, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended

    def _vanish(self) -> None:
        for reader in self._readers:
            reader.cancel()
        for person in self._people.values():
            person.vanish()

    async def _enter(self, k: int, free: asyncio.Semaphore) -> None:
        async with free:
            person = await self._side.enter(self._ports[k], self._rooms[k], deflate=self._deflate)
        self._people[k] = person
        self._readers.append(asyncio.create_task(self._read(k, person)))

    async def _read(self, k: int, person: Person) -> None:
        try:
            async for frame in person.chat:
                assert isinstance(frame, str)
                self.frames += 1
                self._tally.receive(k, frame)
                if self._listener is not None:
                    self._listener(k, frame)
        except ConnectionClosed:
            pass  # what they miss is counted

    def listen(self, listener: Callable[[int, str], None]) -> None:
        """Have `listener` called with each person's number and each frame of theirs."""
        self._listener = listener

    @property
    def received(self) -> int:
        """Bytes that all of them have received, on the chat's socket."""
        return sum(person.chat.received for person in self._people.values())

    async def settles(self) -> None:
        """Wait until nobody has been sent anything for a while, or for `PATIENCE` seconds."""
        give_up = now() + PATIENCE
        frames = -1
        while frames != self.frames and now() < give_up:
            frames = self.frames
            await pause(QUIET)

    # ── talking ──

    async def talk(self, seconds: float, rate: float, *, but: int = 0, more: str = "") -> Figures:
        """
        Say `rate` messages a second in all, in turn, at even distances.

        The first `but` people only listen; `more` makes each message longer.
        """
        numbers = await self._begin(max(1, round(seconds * rate)), but)
        async for k in beats(len(numbers), rate):
            await self._say(numbers[k], more)
        return await self._end()

    async def burst(self, messages: int) -> Figures:
        """Say so many messages at once, each person their share of them."""
        numbers = await self._begin(messages)
        size = len(self._people)
        await asyncio.gather(*(self._say_all(numbers[k::size]) for k in range(size)))
        return await self._end()

    async def _begin(self, messages: int, but: int = 0) -> range:
        await pause(QUIET)
        self.numbers = numbers = range(self._next, self._next + messages)
        self._next += messages
        speakers = len(self._people) - but
        self._said_by = {number: but + number % speakers for number in numbers}
        self._tally = Tally(self._rooms, self._said_by, self._side.hears_own)
        return numbers

    async def _say_all(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            await self._say(number)

    async def _say(self, number: int, more: str = "") -> None:
        k = self._said_by[number]
        frame = self._side.frame(number, line(number, k, more))
        self._tally.send(number)
        await self.sends(k, frame)

    async def sends(self, k: int, frame: str) -> None:
        """One person sends a frame, whatever it says."""
        try:
            await self._people[k].chat.send(frame)
        except ConnectionClosed:
            pass  # what could not be said counts as lost

    async def says(self, k: int, text: str) -> None:
        """One person says something that is not counted."""
        self._next += 1
        await self.sends(k, self._side.frame(self._next - 1, text))

    async def _end(self) -> Figures:
        try:
            async with asyncio.timeout(PATIENCE):
                await self._tally.complete.wait()
        except TimeoutError:
            pass  # what is missing counts as lost
        return self._tally.figures()
