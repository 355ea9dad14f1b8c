"""Older pages of a room in which nearly all messages are private to others."""

from __future__ import annotations

from functools import partial

from tests.bench.databases import Rooms, resume_token
from tests.bench.scenarios.growth.grown import Figure, Grown, serving_rooms
from tests.bench.servers import Server
from tests.bench.sides import WATCHED
from tests.bench.tally import median
from tests.bench.watching import beyond, stands, work_of

__all__ = ["PAGES"]

PUBLIC = 60
"""Messages that everybody may see; they are the oldest."""
ASKED = 10
"""Pages whose work is measured together: a processor's time is counted in hundredths."""


async def _measure(size: int, runs: int) -> dict[str, float]:
    private = Rooms("private", messages=size, private=max(0, size - PUBLIC), sockets=1)
    plain = Rooms("plain", messages=size, sockets=1)
    async with serving_rooms((private, plain)) as server:
        quiet, without = await _asked(server, "plain", runs)
        loud, work = await _asked(server, "private", runs)
    return {"lag": beyond(loud, quiet), "work": work, "more": max(0.0, work - without)}


async def _asked(server: Server, room: str, runs: int) -> tuple[list[float], float]:
    """How long the loop stood at each answer, and the work of one; both in ms."""
    person = await WATCHED.come(server.port, resume=resume_token(room))

    async def asks(number: int) -> None:
        for _ in range(number):
            await WATCHED.older(person)

    await asks(1)
    lags = [await stands(server, partial(asks, 1)) for _ in range(runs)]
    work = median([await work_of(server, partial(asks, ASKED)) for _ in range(runs)]) / ASKED
    person.vanish()
    return lags, work


PAGES = Grown(
    "pages",
    f"A page of a room of {{}} messages, all but {PUBLIC} of them private to others",
    20_000,
    (
        Figure("lag", "our loop stands, longer than where all are public, ms", below=20),
        Figure("work", "processor for an answer, ms"),
        Figure("more", "the same, more than where all are public, ms", below=5),
    ),
    _measure,
)
