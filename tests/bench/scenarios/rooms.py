"""Many small rooms at once, all of whose people have a page open."""

from __future__ import annotations

from functools import partial

from tests.bench.crowd import Crowd, spread
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import serving
from tests.bench.sides import BARE, DIRECT, OURS, Side

__all__ = ["ROOMS"]

P99 = 50.0
"""Milliseconds that our p99 shall stay below."""
SLOW_SECONDS = 1.0
"""For how long the slow side is talked at; it takes far longer to deliver that."""


def _plan(options: Options) -> list[Job]:
    busy = "handle", "read"
    sizes = f"{options.rooms} rooms of {options.room_size}"
    return [
        Job("bare", f"{sizes}, bare", partial(_measure, options, BARE, sizes, options.seconds)),
        Job("direct", f"{sizes}, direct", partial(_measure, options, DIRECT, sizes, SLOW_SECONDS)),
        Job("ours", f"{sizes}, ours", partial(_measure, options, OURS, sizes, options.seconds)),
        Job(
            "ours",
            f"{sizes}, ours, handled and read",
            partial(_measure, options, OURS, f"{sizes}, handled, read", options.seconds, *busy),
        ),
    ]


async def _measure(options: Options, side: Side, case: str, seconds: float, *does: str) -> Result:
    rooms = spread(options.rooms, options.room_size)
    async with serving(side, *does) as server:
        before = server.worked()
        async with Crowd(server, rooms) as crowd:
            await crowd.settles()
            worked = server.worked()
            told = await crowd.talk(seconds, options.rooms_rate)
            came, worked = worked - before, server.worked() - worked
    return Result(
        "rooms",
        case,
        side.name,
        0,
        {
            "p50": told.p50,
            "p95": told.p95,
            "p99": told.p99,
            "per_second": told.per_second,
            "lost": told.lost,
            "work": 1e6 * worked / max(1, told.wanted - told.lost),
            "ramp": crowd.ramp,
            "admit": 1000 * came / len(rooms),
        },
        saturated=bool(told.lost),
        faults=faults_of(talk=told),
    )


ROOMS = Scenario(
    "rooms",
    "Many rooms at once, everybody's page open",
    (
        Row("p50", "p50, ms", digits=2),
        Row("p95", "p95, ms", digits=2),
        Row(
            "p99",
            "p99, ms",
            digits=2,
            aims=(Aim(f"below {P99:g}", lambda found: found["ours"] < P99),),
        ),
        Row("per_second", "deliveries/s", digits=0),
        Row("lost", "missing", digits=0, aims=(Aim("none", lambda found: not found["ours"]),)),
        Row("work", "server µs per delivery", digits=0),
        Row("ramp", "until all were in, s"),
        Row("admit", "server's work for each of them, ms"),
    ),
    _plan,
)
