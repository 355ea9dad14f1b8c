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
from tests.bench.watching import LockWatch

__all__ = ["TOKENS"]

GONE_WITHIN = 1_800.0
"""How long it may take until no expired token is left, in seconds."""
LOOKED_AT_EVERY = 0.25
"""How often they are counted, in seconds."""
MESSAGES = 20
"""Messages before and after, one after the other."""


async def _measure(size: int, runs: int) -> dict[str, float]:
    hall = Rooms("hall", sockets=1)
    async with (
        serving_rooms((hall,), expired=size) as server,
        everybody(server, hall) as [person],
        LockWatch(server.database).watching() as watch,
    ):
        start, slowest, numbers = now(), 0.0, count()

        async def stores() -> float:
            return await WATCHED.stores(person, next(numbers), "something short")

        while await asyncio.to_thread(_are_left, server.database, size):
            slowest = max(slowest, await stores())
            await pause(LOOKED_AT_EVERY)
            if now() > start + GONE_WITHIN:
                raise RuntimeError("the expired tokens have not gone")
        gone, held = now() - start, watch.take()
        quiet = max([await stores() for _ in range(MESSAGES)])
        return {
            "held": max(0.0, held - watch.take()),
            "wait": 1000 * max(0.0, slowest - quiet),
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
        Figure("gone", "until they are gone, s"),
    ),
    _measure,
)
