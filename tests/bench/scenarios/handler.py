"""One person's message is handled for seconds, as by a slow model. What do the others notice?"""

from __future__ import annotations

from functools import partial

from tests.bench.clock import pause
from tests.bench.crowd import Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import serving
from tests.bench.sides import DIRECT, NAIVE, OURS, Side

__all__ = ["HANDLER"]

NOTHING = 5.0
"""Milliseconds that may come between two p99 of the same thing by chance."""


def _plan(options: Options) -> list[Job]:
    return [
        Job(side.name, side.name, partial(_measure, options, side))
        for side in (NAIVE, DIRECT, OURS)
    ]


async def _measure(options: Options, side: Side) -> Result:
    people = max(3, options.crowd // 5)
    async with serving(side, "handle") as server, Crowd(server, people) as crowd:
        await crowd.talk(1.0, options.rate)
        without = await crowd.talk(options.nap, options.rate, but=1)
        await crowd.says(0, f"nap {options.nap + 1:g}")
        await pause(0.3)
        # It naps longer than they talk, so that all of it happens meanwhile.
        during = await crowd.talk(options.nap, options.rate, but=1)
    return Result(
        "handler",
        f"a handler waits {options.nap:g} s",
        side.name,
        0,
        {
            "without": without.p99,
            "p50": during.p50,
            "p99": during.p99,
            "more": during.p99 - without.p99,
        },
        saturated=bool(without.lost or during.lost),
        faults=faults_of(without=without, during=during),
    )


HANDLER = Scenario(
    "handler",
    "One person's handler waits: the others",
    (
        Row("without", "p99 without, ms"),
        Row("p50", "p50 meanwhile, ms"),
        Row("p99", "p99 meanwhile, ms"),
        Row(
            "more",
            "p99, more than without, ms",
            has_ratio=False,
            aims=(Aim(f"nothing (below {NOTHING:g})", lambda found: found["ours"] < NOTHING),),
        ),
    ),
    _plan,
)
