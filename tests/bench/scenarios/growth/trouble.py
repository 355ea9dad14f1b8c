"""The database is locked for a while, so that a message is refused; then it is free again."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from tests.bench.clock import pause
from tests.bench.databases import Rooms
from tests.bench.scenarios.growth.grown import Figure, Grown, everybody, serving_rooms
from tests.bench.servers import Server
from tests.bench.sides import WATCHED, Person
from tests.bench.watching import LockWatch, beyond, idles

__all__ = ["TROUBLE"]

MESSAGES = 500
"""Messages in each of the rooms."""
AFTER = 1.5
"""How long the lock is watched afterwards, in seconds; longer while the server works."""
LOCKED_FOR_US = 0.05
"""How long it takes until the watch has seen that we have given the lock back, in seconds."""


async def _measure(size: int, runs: int) -> dict[str, float]:
    live = Rooms("live-{}", size, messages=MESSAGES, sockets=1)
    quiet, loud = list[float](), list[float]()
    async with (
        serving_rooms((live,)) as server,
        everybody(server, live) as people,
        LockWatch(server.database).watching() as watch,
    ):
        for run in range(runs):
            quiet.append(await _held(server, people[run], watch, 1))
            async with _locked(server.database):
                await WATCHED.is_refused(people[run], 2, "something that cannot be stored")
            await pause(LOCKED_FOR_US)
            loud.append(await _held(server, people[run], watch, 3))
    return {"held": beyond(loud, quiet)}


async def _held(server: Server, person: Person, watch: LockWatch, number: int) -> float:
    """The longest that the lock is held when somebody says something."""
    watch.take()
    await person.chat.send(WATCHED.frame(number, "something short"))
    await pause(AFTER)
    await idles(server)
    return watch.take()


@asynccontextmanager
async def _locked(database: Path) -> AsyncGenerator[None]:
    conn = sqlite3.connect(database, isolation_level=None)
    conn.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        conn.execute("ROLLBACK")
        conn.close()


TROUBLE = Grown(
    "trouble",
    f"After one store error, with {{}} rooms of {MESSAGES} messages open",
    1_000,
    (Figure("held", "the database is locked, longer than before it, ms", below=20),),
    _measure,
)
