"""Another process on the same database: it posts into a room, and prints how long that takes."""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable

from shiny_labchat import Lab
from tests.bench.clock import beats, now
from tests.bench.sides.ours_rooms import RULES, STUDY

RATE = 20.0
"""Posts a second."""


async def posts(url: str, id: str, seconds: float, runs: int) -> list[float]:
    """The slowest post of each of some stretches, in milliseconds."""
    room = Lab(url).room(id, study=STUDY, rules=RULES)
    await room.post("to begin with", author="p0")
    return [await _slowest(room.post, round(seconds * RATE)) for _ in range(runs)]


async def _slowest(post: Callable[..., Awaitable[object]], number: int) -> float:
    slowest = 0.0
    async for k in beats(number, RATE):
        start = now()
        await post(f"number {k}", author="p0")
        slowest = max(slowest, now() - start)
    return 1000 * slowest


if __name__ == "__main__":
    _, url, room, seconds, runs = sys.argv
    print(json.dumps(asyncio.run(posts(url, room, float(seconds), int(runs)))))
