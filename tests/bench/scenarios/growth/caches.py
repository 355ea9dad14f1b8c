"""Somebody comes into each of many rooms, says something and leaves; and all that once more."""

from __future__ import annotations

import asyncio

from tests.bench.databases import Rooms, resume_token
from tests.bench.scenarios.growth.grown import AT_ONCE, Figure, Grown, serving_rooms
from tests.bench.servers import Server
from tests.bench.sides import WATCHED
from tests.bench.watching import ask

__all__ = ["CACHES"]

MESSAGES = 20
"""Messages in each room."""


async def _measure(size: int, runs: int) -> dict[str, float]:
    rooms = Rooms("room-{}", size, messages=MESSAGES, sockets=1)
    async with serving_rooms((rooms,)) as server:
        await _all_visited(server, rooms, 1)
        before = server.memory()
        await ask(server, "reads")
        await _all_visited(server, rooms, 2)
        reads = await ask(server, "reads")
        grown = server.memory() - before
    return {
        "folds": 100 * max(0.0, 1 - reads["folds"] / size),
        "reads": reads["events"] / size,
        "grown": grown,
    }


async def _all_visited(server: Server, rooms: Rooms, number: int) -> None:
    free = asyncio.Semaphore(AT_ONCE)

    async def visit(id: str) -> None:
        async with free:
            person = await WATCHED.come(server.port, resume=resume_token(id))
            await WATCHED.stores(person, number, "something short")
            person.vanish()

    async with asyncio.TaskGroup() as group:
        for id in rooms.ids():
            group.create_task(visit(id))


CACHES = Grown(
    "caches",
    "{} rooms are visited in turn, for the second time",
    5_000,
    (
        Figure("folds", "visits whose room's state is in memory, %", digits=0),
        Figure("reads", "statements that read events, a visit"),
        Figure("grown", "our server has grown by meanwhile, MB", below=20, floor=20, digits=0),
    ),
    _measure,
)
