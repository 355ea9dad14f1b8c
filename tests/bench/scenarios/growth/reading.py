"""Reading a long room: in a session, before a handler, and in a programme."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial

from tests.bench.clock import beats
from tests.bench.crowd import Crowd
from tests.bench.databases import Rooms
from tests.bench.scenarios.growth.grown import Figure, Grown, serving_rooms
from tests.bench.servers import Server
from tests.bench.sides import WATCHED, Person
from tests.bench.tally import median
from tests.bench.watching import ask, beyond, idles, stands, work_of

__all__ = ["HANDLING", "LISTING", "PRIVATE", "READING"]

PAGES = 50
"""Pages that read one room."""
MESSAGES = 5
"""Messages whose work is measured together: a processor's time is counted in hundredths."""
A_SECOND = 10.0
"""How many of them are said a second, so that each is handled alone."""
ENOUGH = 60
"""Messages that no aim is about."""
LAG = "our loop stands, longer than in a short room, ms"


async def _read(size: int, runs: int) -> dict[str, float]:
    async def comes(server: Server, room: str) -> None:
        (await WATCHED.enter(server.port, room)).vanish()

    async with serving_rooms(_rooms(size, runs), "read") as server:
        return await _compared(server, runs, partial(comes, server))


async def _handle(size: int, runs: int) -> dict[str, float]:
    async with serving_rooms(_rooms(size, runs), "pass") as server:
        people: dict[str, Person] = {}
        for each in _rooms(size, runs):
            people |= {id: await WATCHED.enter(server.port, id) for id in each.ids()}

        async def says(room: str) -> None:
            await people[room].chat.send(WATCHED.frame(0, "something short"))

        return await _compared(server, runs, says)


def _rooms(size: int, runs: int) -> tuple[Rooms, ...]:
    return Rooms("long-{}", runs, messages=size), Rooms("short-{}", runs + 1, messages=ENOUGH)


async def _compared(
    server: Server, runs: int, doing: Callable[[str], Awaitable[None]]
) -> dict[str, float]:
    """Something is done for the first time in long rooms, and in short ones."""
    await stands(server, partial(doing, f"short-{runs}"))  # what is imported late is there now
    quiet = [await stands(server, partial(doing, f"short-{k}")) for k in range(runs)]
    before = server.memory()
    loud = [await stands(server, partial(doing, "long-0"))]
    grown = server.memory() - before
    loud += [await stands(server, partial(doing, f"long-{k}")) for k in range(1, runs)]
    return {"lag": beyond(loud, quiet), "grown": grown}


async def _list(size: int, runs: int) -> dict[str, float]:
    async with serving_rooms((Rooms("long", messages=size),)) as server:

        def last(number: int) -> Callable[[], Awaitable[object]]:
            return partial(ask, server, "last", room="long", number=number)

        await stands(server, last(ENOUGH))
        quiet = [await stands(server, last(ENOUGH)) for _ in range(runs)]
        loud = [await stands(server, last(size)) for _ in range(runs)]
    return {"lag": beyond(loud, quiet)}


async def _read_private(size: int, runs: int) -> dict[str, float]:
    plain = Rooms("plain", messages=size)
    private = Rooms("private", messages=size, private=1)
    async with serving_rooms((plain, private), "read") as server:
        quiet, quiet_work = await _said_to_readers(server, "plain", runs)
        loud, work = await _said_to_readers(server, "private", runs)
    return {"lag": beyond(loud, quiet), "work": work / PAGES, "more": (work - quiet_work) / PAGES}


async def _said_to_readers(server: Server, room: str, runs: int) -> tuple[list[float], float]:
    """How long the loop stood at each message, and the work of one message; both in ms."""
    async with Crowd(server, [room] * PAGES) as crowd:
        await idles(server)
        lags = [
            await stands(server, partial(crowd.says, 0, "something short")) for _ in range(runs)
        ]

        async def says() -> None:
            async for k in beats(MESSAGES, A_SECOND):
                await crowd.says(k, "something short")

        work = median([await work_of(server, says) for _ in range(runs)]) / MESSAGES
    return lags, work


READING = Grown(
    "reading",
    "The first chat.messages() in a room of {} messages",
    200_000,
    (
        Figure("lag", LAG, below=20),
        Figure("grown", "our server has grown by, MB", digits=0),
    ),
    _read,
)
HANDLING = Grown(
    "handling",
    "The first message to a page whose handler does nothing, in a room of {} messages",
    200_000,
    (
        Figure("lag", LAG, below=20),
        Figure("grown", "our server has grown by, MB", below=20, floor=20, digits=0),
    ),
    _handle,
)
LISTING = Grown(
    "listing",
    "room.messages(last=...) of {} messages",
    60_000,
    (Figure("lag", "our loop stands, longer than with few, ms", below=20),),
    _list,
)
PRIVATE = Grown(
    "private",
    f"A message while {PAGES} pages read a room of {{}} messages, one of them private",
    20_000,
    (
        Figure("lag", "our loop stands, longer than without the private one, ms", below=20),
        Figure("work", "processor for each page and message, ms", floor=1, digits=2),
        Figure("more", "the same, more than without the private one, ms", 1, floor=1, digits=2),
    ),
    _read_private,
)
