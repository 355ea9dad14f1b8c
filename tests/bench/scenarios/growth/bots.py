"""A message in a long room that nobody has open, with a bot that stays silent."""

from __future__ import annotations

from functools import partial

from tests.bench.databases import Rooms
from tests.bench.scenarios.growth.grown import Figure, Grown, serving_rooms
from tests.bench.servers import Server
from tests.bench.tally import median
from tests.bench.watching import ask, work_of

__all__ = ["BOTS"]

MESSAGES = 5
"""Messages whose work is measured together: a processor's time is counted in hundredths."""


async def _measure(size: int, runs: int) -> dict[str, float]:
    rooms = Rooms("bot-long", messages=size), Rooms("plain", messages=size), Rooms("bot-short")
    async with serving_rooms(rooms, "bot") as server:
        for room in ("bot-short", "plain"):
            await _posts(server, room)
        quiet = [await work_of(server, partial(_posts, server, "plain")) for _ in range(runs)]
        loud = [await work_of(server, partial(_posts, server, "bot-long")) for _ in range(runs)]
    return {"work": max(0.0, median(loud) - median(quiet)) / MESSAGES}


async def _posts(server: Server, room: str) -> None:
    for _ in range(MESSAGES):
        await ask(server, "post", room=room)


BOTS = Grown(
    "bots",
    "A message that a bot says nothing to, in a room of {} messages that nobody has open",
    200_000,
    (Figure("work", "processor, more than without the bot, ms", below=10),),
    _measure,
)
