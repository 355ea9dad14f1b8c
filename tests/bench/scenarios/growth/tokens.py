"""The first message after a start, when many tokens have expired."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from itertools import count
from pathlib import Path

from tests.bench.clock import now, pause
from tests.bench.databases import LONG_AGO, Rooms
from tests.bench.scenarios.growth.grown import Figure, Grown, everybody, serving_rooms
from tests.bench.sides import WATCHED
from tests.bench.watching import LockWatch, beyond

__all__ = ["TOKENS"]

GONE_WITHIN = 1_800.0
"""How long it may take until no expired token is left, in seconds."""
EVERY = 0.25
"""Pause between two messages, in seconds."""
MESSAGES = 20
"""Messages of which the slowest one counts, then and in the quiet control alike."""


async def _measure(size: int, runs: int) -> dict[str, float]:
    hall = Rooms("hall", sockets=1)
    async with (
        serving_rooms((hall,), expired=size) as server,
        everybody(server, hall) as [person],
        LockWatch(server.database).watching() as watch,
    ):
        start, numbers = now(), count()

        async def worst() -> tuple[float, float]:
            """The slowest of some messages, and how long the database was locked, both in ms."""
            watch.take()
            took: list[float] = []
            for _ in range(MESSAGES):
                took.append(await WATCHED.stores(person, next(numbers), "something short"))
                await pause(EVERY)
            return 1000 * max(took), watch.take()

        loud: list[tuple[float, float]] = []
        while await asyncio.to_thread(_are_left, server.database, size):
            loud.append(await worst())
            if now() > start + GONE_WITHIN:
                raise RuntimeError("the expired tokens have not gone")
        gone = now() - start
        quiet = [await worst() for _ in range(runs)]
        (wait, held), (control, free) = zip(*loud, strict=True), zip(*quiet, strict=True)
        return {
            "held": beyond([*held], [*free]),
            "wait": beyond([*wait], [*control]),
            "most": max(wait),
            "gone": gone,
        }


def _are_left(database: Path, size: int) -> bool:
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        found = conn.execute("SELECT 1 FROM token WHERE expires <= ? LIMIT 1", (LONG_AGO + size,))
        return found.fetchone() is not None


TOKENS = Grown(
    "tokens",
    "{} tokens have expired when the server starts",
    1_440_000,
    (
        Figure("held", "the database is locked, longer than without, ms", below=20),
        Figure("wait", "slowest message, slower than without, ms", below=20),
        Figure("most", "slowest message of all, ms"),
        Figure("gone", "until they are gone, s"),
    ),
    _measure,
)
