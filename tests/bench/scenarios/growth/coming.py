"""Coming into a room where many were, or are."""

from __future__ import annotations

import asyncio
from functools import partial

from tests.bench.clock import now, pause
from tests.bench.crowd import QUIET, Crowd
from tests.bench.databases import Rooms, resume_token
from tests.bench.scenarios.growth.grown import Figure, Grown, serving_rooms
from tests.bench.servers import Server
from tests.bench.sides import WATCHED, Person
from tests.bench.tally import median
from tests.bench.watching import beyond, stands

__all__ = ["HERE", "JOINING"]

OTHERS, RATE, SECONDS = 4, 50.0, 1.0
"""People in another room, and how they talk meanwhile."""
CHANGES, CHANGE_TAKES = 3, 1.2
"""How many go and come back, and how long it takes until all have been told, in seconds."""


async def _join(size: int, runs: int) -> dict[str, float]:
    rooms = Rooms("many-{}", runs, members=size), Rooms("few-{}", runs + 1)
    waited: dict[str, list[float]] = {"few": [], "many": []}
    stood: dict[str, list[float]] = {"few": [], "many": []}
    async with serving_rooms(rooms) as server, Crowd(server, OTHERS) as crowd:
        await _joins(server, crowd, f"few-{runs}", [])
        for kind, k in ((kind, k) for kind in waited for k in range(runs)):
            joins = partial(_joins, server, crowd, f"{kind}-{k}", waited[kind])
            stood[kind].append(await stands(server, joins))
    return {name: beyond(of["many"], of["few"]) for name, of in (("wait", waited), ("lag", stood))}


async def _joins(server: Server, crowd: Crowd, room: str, waited: list[float]) -> None:
    """Somebody joins a room while others talk elsewhere; notes the longest that a message took."""

    async def enters() -> None:
        await pause(QUIET + 0.2 * SECONDS)  # by then they talk
        (await WATCHED.enter(server.port, room)).vanish()

    async with asyncio.TaskGroup() as both:
        both.create_task(enters())
        told = await crowd.talk(SECONDS, RATE)
    if told.lost:
        raise RuntimeError(f"{told.lost} messages of the others are missing")
    waited.append(told.worst)


async def _be_here(size: int, runs: int) -> dict[str, float]:
    hall = Rooms("hall", members=size, sockets=size)
    async with serving_rooms((hall,)) as server:
        start = now()
        people = await asyncio.gather(*(_comes(server, k) for k in range(size)))
        took = now() - start
        await pause(CHANGE_TAKES)
        came = median([person.chat.received for person in people])
        before = people[0].chat.received
        for k in range(1, 1 + CHANGES):
            people[k].vanish()
            await pause(CHANGE_TAKES)
            people[k] = await _comes(server, k)
            await pause(CHANGE_TAKES)
        received = people[0].chat.received - before
        for person in people:
            person.vanish()
    return {"came": took, "bytes": came, "change": received / (2 * CHANGES)}


async def _comes(server: Server, k: int) -> Person:
    return await WATCHED.come(server.port, resume=resume_token("hall", f"p{k}"))


JOINING = Grown(
    "joining",
    "Somebody joins where {} were ever members",
    20_000,
    (
        Figure("wait", "others' slowest message, slower than where few were, ms", below=20),
        Figure("lag", "our loop stands, longer than where few were, ms", below=20),
    ),
    _join,
)
HERE = Grown(
    "here",
    "{} people come into one room at once, without pages",
    600,
    (
        Figure("came", "until all are in, s", below=1, floor=0.1, digits=2),
        Figure("bytes", "what each is sent meanwhile, bytes", floor=2_000, digits=0),
        Figure("change", "what each is sent when one comes or goes, bytes", 500, digits=0),
    ),
    _be_here,
)
