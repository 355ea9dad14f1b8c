"""One room, with its log in a file of SQLite and on a PostgreSQL server of the same disk."""

from __future__ import annotations

from functools import partial
from itertools import product

from tests.bench.backends import SQLITE, Backend
from tests.bench.crowd import Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.scenarios.fanout import WARM_UP, case_of
from tests.bench.servers import serving
from tests.bench.sides import OURS

__all__ = ["ENGINES"]

MORE = 2.0
"""Milliseconds that the p50 on PostgreSQL may lie above that on SQLite."""
SIDES = {"SQLite": SQLITE, "PostgreSQL": Backend("postgresql")}


def _plan(options: Options) -> list[Job]:
    return [
        Job(
            side,
            f"{case_of(people)}, {side}, run {run + 1}",
            partial(_measure, options, side, people, run),
        )
        for people, run, side in product(options.people, range(options.runs), SIDES)
    ]


async def _measure(options: Options, side: str, people: int, run: int) -> Result:
    async with serving(OURS, backend=SIDES[side]) as server, Crowd(server, people) as crowd:
        await crowd.talk(WARM_UP, options.rate)
        before = server.all_worked()
        paced = await crowd.talk(options.seconds, options.rate)
        after = server.all_worked()
        await crowd.settles()
        burst = await crowd.burst(options.burst)
    delivered = max(1, paced.wanted - paced.lost)
    work = {name: 1e6 * (after[name] - before[name]) / delivered for name in after}
    return Result(
        "engines",
        case_of(people),
        side,
        run,
        {
            "p50": paced.p50,
            "p95": paced.p95,
            "p99": paced.p99,
            "burst": burst.per_second,
            "server": work["workers"],
            "database": work.get("database", 0.0),
        },
        saturated=bool(paced.lost or burst.lost),
        faults=faults_of(paced=paced, burst=burst),
    )


ENGINES = Scenario(
    "engines",
    "One room on SQLite and on PostgreSQL",
    (
        Row(
            "p50",
            "paced p50, ms",
            digits=2,
            aims=(
                Aim(
                    f"SQLite + {MORE:g}",
                    lambda found: found["PostgreSQL"] <= found["SQLite"] + MORE,
                    "SQLite",
                ),
            ),
        ),
        Row("p95", "paced p95, ms", digits=2),
        Row("p99", "paced p99, ms", digits=2),
        Row("burst", "burst, deliveries/s", digits=0),
        Row("server", "paced, server µs per delivery", digits=0),
        Row("database", "paced, PostgreSQL's µs per delivery", digits=0),
    ),
    _plan,
    columns=tuple(SIDES),
)
