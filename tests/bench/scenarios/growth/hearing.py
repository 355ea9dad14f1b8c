"""Another process writes while this one has many rooms open in which nothing happens."""

from __future__ import annotations

from tests.bench.databases import Rooms
from tests.bench.scenarios.growth.grown import Figure, Grown, everybody, serving_rooms
from tests.bench.watching import ask, beyond, idles, others_posts

__all__ = ["HEARING"]

SECONDS = 1.5
"""How long the other process posts, again and again."""


async def _measure(size: int, runs: int) -> dict[str, float]:
    idle = Rooms("idle-{}", size, members=1, messages=5, sockets=1)
    async with serving_rooms((idle, Rooms("elsewhere"))) as server:
        quiet = await others_posts(server, "elsewhere", SECONDS, runs)
        async with everybody(server, idle):
            await idles(server)
            await ask(server, "lag")
            loud = await others_posts(server, "elsewhere", SECONDS, runs)
            lag = await ask(server, "lag")
    return {"posts": beyond(loud, quiet), "lag": lag}


HEARING = Grown(
    "hearing",
    "Hearing another process, with {} idle rooms open",
    5_000,
    (
        Figure("posts", "its slowest post, more than without, ms", below=20),
        Figure("lag", "our loop stands at most, ms", below=20, floor=20),
    ),
    _measure,
)
