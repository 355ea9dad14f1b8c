"""Somebody comes into a room in which much was said, while others talk."""

from __future__ import annotations

import asyncio
from functools import partial
from itertools import product

from tests.bench.clock import now, pause
from tests.bench.crowd import QUIET, ROOM, Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import Server, serving
from tests.bench.sides import NAIVE, OURS, Person, Side
from tests.bench.tally import median, old_line

__all__ = ["JOIN"]

SCREEN = 100.0
"""Milliseconds in which the newest screen shall be there."""
MORE = 20.0
"""Milliseconds that joins may add to others' p99."""
BETWEEN = 0.3
"""Pause before each join, in seconds; a naive one takes seconds itself, so there are few."""


def _plan(options: Options) -> list[Job]:
    return [
        Job(side.name, f"{size:,} messages, {side.name}", partial(_measure, options, side, size))
        for size, side in product(options.history, (NAIVE, OURS))
    ]


async def _measure(options: Options, side: Side, size: int) -> Result:
    people = max(4, options.crowd // 10)
    async with serving(side, history=size) as server, Crowd(server, people) as crowd:
        await crowd.settles()
        await crowd.talk(1.0, options.rate)
        before = await crowd.talk(options.seconds, options.rate)
        number = options.joins if side is OURS else max(2, options.joins // 5)
        async with asyncio.TaskGroup() as both:
            joins = both.create_task(_joins(server, number, size))
            during = await crowd.talk(options.seconds, options.rate)
        joined = joins.result()
    values = {
        "screen": 1000 * median([took for took, _ in joined]),
        "longest": 1000 * max(took for took, _ in joined),
        "bytes": median([person.screen for _, person in joined]),
        "p50": during.p50,
        "p99": during.p99,
        "more": during.p99 - before.p99,
    }
    if side is OURS:
        values["socket"] = 1000 * median([person.welcomed for _, person in joined])
    return Result(
        "join",
        f"{size:,} messages",
        side.name,
        0,
        values,
        saturated=bool(before.lost or during.lost),
        faults=faults_of(before=before, during=during),
    )


async def _joins(server: Server, number: int, size: int) -> list[tuple[float, Person]]:
    """How long it took to the newest screen, and who came, of each of some joins."""
    await pause(QUIET)  # the talk has begun by then
    joined: list[tuple[float, Person]] = []
    newest = old_line(size - 1) if server.side is NAIVE else ""
    for _ in range(number):
        await pause(BETWEEN)
        start = now()
        person = await server.side.enter(server.port, ROOM, newest=newest)
        joined.append((now() - start, person))
        person.vanish()
    return joined


JOIN = Scenario(
    "join",
    "Somebody joins a long conversation: from opening the page's socket to the newest screen",
    (
        Row(
            "screen",
            "newest screen, ms",
            aims=(Aim(f"below {SCREEN:g}", lambda found: found["ours"] < SCREEN),),
        ),
        Row("socket", "of that, the chat's own socket, ms"),
        Row("longest", "slowest of the joins, ms"),
        Row("bytes", "bytes for it", digits=0),
        Row("p50", "others' p50 meanwhile, ms"),
        Row("p99", "others' p99 meanwhile, ms"),
        Row(
            "more",
            "others' p99, more than before, ms",
            has_ratio=False,
            aims=(Aim(f"below {MORE:g}", lambda found: found["ours"] < MORE),),
        ),
    ),
    _plan,
)
