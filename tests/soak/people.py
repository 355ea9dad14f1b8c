"""Who comes into the rooms of a soak, and what they do there."""

from __future__ import annotations

import asyncio
import hashlib
import sqlite3
from collections import Counter
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.bench.clock import beats, now, pause
from tests.bench.servers import Server
from tests.bench.sides.ours import Ours
from tests.bench.sides.side import Person

__all__ = ["Visitors", "reading", "streaming"]

PEOPLE = 2
"""People who come into each room, in turn."""
STAY = 1.0
"""How long a visit lasts after its message, in seconds."""
AT_ONCE = 100
"""Most people who are here at the same time; who comes then waits."""
RENEW = 0.8
"""The share of a resume token's life after which its person opens a page again."""
STREAM = "stream a 900 20"
"""What asks for a stream: of 900 chunks, 20 a second."""
STREAM_TAKES = 46.0
"""How long that takes, and a little more, in seconds."""
READ_FOR, READ_AGAIN = 2.0, 0.1
"""How long a reader keeps a transaction open, and how soon it begins the next, in seconds."""


_ADDRESSES = [f"127.0.0.{k}" for k in range(1, 251)]
"""Where people come from: a server admits so many new ones from one address only."""


@dataclass(frozen=True, slots=True)
class _Known:
    resume: str
    at: float


class Visitors:
    """
    People who come into one room after the other, say something, and leave.

    Parameters
    ----------
    server, side
        Where.
    rooms
        How many rooms there are.
    life
        How long a resume token lives, in seconds. Within that, a person comes back without
        loading their page anew.

    Attributes
    ----------
    visits, pages
        How many visits have ended well, and for how many a page was opened.
    faults
        What went wrong, and how many times.
    """

    def __init__(self, server: Server, side: Ours, rooms: int, life: float) -> None:
        self.visits = self.pages = 0
        self.faults = Counter[str]()
        self._server = server
        self._side = side
        self._rooms = rooms
        self._life = life
        self._known: dict[str, _Known] = {}
        self._slowest = 0.0

    async def come(self, visits: int, seconds: float) -> None:
        """
        So many visits, evenly over so many seconds; who is late catches up.

        The first come at once: as many as may be here at any time, so that no later crowd is larger
        and passes for growth.
        """
        free = asyncio.Semaphore(AT_ONCE)
        at_once = min(AT_ONCE, visits)
        async with asyncio.TaskGroup() as group:

            def come(number: int) -> None:
                visit = group.create_task(self._visit(number))
                visit.add_done_callback(lambda _: free.release())

            for number in range(at_once):
                await free.acquire()
                come(number)
            async for number in beats(visits - at_once, visits / seconds):
                await free.acquire()
                come(at_once + number)

    def take_slowest(self) -> float:
        """The longest that a message took to be stored since this was last asked, in ms."""
        slowest, self._slowest = self._slowest, 0.0
        return 1000 * slowest

    async def _visit(self, number: int) -> None:
        turn, k = divmod(number, self._rooms)
        try:
            person = await self._enter(f"room-{k}", turn % PEOPLE)
            try:
                took = await self._side.stores(person, number, f"This is visit {number}.")
                self._slowest = max(self._slowest, took)
                if person.newest:  # else there is nothing before it
                    await self._side.older(person)
                await pause(STAY)
            finally:
                person.vanish()
        except Exception as exc:  # all others come all the same
            self.faults[repr(exc)] += 1
        else:
            self.visits += 1

    async def _enter(self, room: str, k: int) -> Person:
        port, browser = self._server.port, hashlib.md5(f"{room}:{k}".encode()).hexdigest()
        known = self._known.get(browser)
        if known is not None and now() < known.at + RENEW * self._life:
            return await self._side.come(port, resume=known.resume)
        self.pages += 1
        address = _ADDRESSES[self.pages % len(_ADDRESSES)]
        person = await self._side.enter(port, room, browser=browser, address=address)
        self._known[browser] = _Known(person.resume, now())
        return person


@asynccontextmanager
async def streaming(server: Server, side: Ours, number: int) -> AsyncGenerator[None]:
    """Have one stream after the other in each of so many rooms, inside the block."""
    async with _meanwhile([_stream(server, side, f"stream-{k}") for k in range(number)]):
        yield


async def _stream(server: Server, side: Ours, room: str) -> None:
    person = await side.enter(server.port, room)
    reading = asyncio.create_task(_read(person))
    try:
        for number in range(1_000_000):
            await person.chat.send(side.frame(number, STREAM))
            await pause(STREAM_TAKES)
    finally:
        reading.cancel()
        person.vanish()


async def _read(person: Person) -> None:
    async for _ in person.chat:
        pass


@asynccontextmanager
async def reading(database: Path) -> AsyncGenerator[None]:
    """Have somebody read the database all the time, in long transactions, inside the block."""
    async with _meanwhile([_read_log(database)]):
        yield


async def _read_log(database: Path) -> None:
    conn = sqlite3.connect(database, isolation_level=None)
    try:
        while not conn.execute("SELECT 1 FROM sqlite_master WHERE name = 'room'").fetchall():
            await pause(READ_AGAIN)  # the server makes its tables when it is first used
        while True:
            conn.execute("BEGIN")
            conn.execute("SELECT sum(seq) FROM room").fetchone()
            await pause(READ_FOR)
            conn.execute("COMMIT")
            await pause(READ_AGAIN)
    finally:
        conn.close()


@asynccontextmanager
async def _meanwhile(works: list[Coroutine[Any, Any, None]]) -> AsyncGenerator[None]:
    tasks = [asyncio.create_task(work) for work in works]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        for ended in await asyncio.gather(*tasks, return_exceptions=True):
            if isinstance(ended, Exception):
                raise ended
