"""One room: a message reaches everybody, in a paced conversation and in a burst."""

from __future__ import annotations

from functools import partial
from itertools import product

from tests.bench.crowd import Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import serving
from tests.bench.sides import BARE, DIRECT, NAIVE, OURS, Side
from tests.bench.tally import Figures, median

__all__ = ["COMPRESSED", "FANOUT", "case_of"]

WARM_UP = 1.0
"""Seconds of talk before anything is measured."""
MORE = 2.5
"""Milliseconds that our p50 may lie above the bare broadcast's, the commit included."""
TIMES_BARE = 2.0
TIMES_NAIVE = 50.0
"""How many times their deliveries per second ours shall be in a burst."""
SHARE = {NAIVE.name: 0.1, DIRECT.name: 0.25}
"""How much of the burst the slow sides are given."""
BURSTS = 5
"""Bursts in a run; one alone, of some hundredths of a second, says little."""
COMPRESSED = ", compressed"


def case_of(people: int, deflate: bool = False) -> str:
    """What a size is called."""
    return f"{people} people{COMPRESSED if deflate else ''}"


def _plan(options: Options) -> list[Job]:
    jobs: list[Job] = []
    for people, run, side in product(options.people, range(options.runs), (BARE, OURS)):
        jobs.append(_job(options, side, people, run))
        if options.deflate:
            jobs.append(_job(options, side, people, run, deflate=True))
    for people, side in product(options.people, (NAIVE, DIRECT)):
        jobs.append(_job(options, side, people, 0))
    return jobs


def _job(options: Options, side: Side, people: int, run: int, deflate: bool = False) -> Job:
    case = case_of(people, deflate)
    name = f"{case}, {side.name}, run {run + 1}"
    return Job(side.name, name, partial(_measure, options, side, people, run, deflate))


async def _measure(options: Options, side: Side, people: int, run: int, deflate: bool) -> Result:
    share = SHARE.get(side.name, 1.0)
    async with serving(side) as server, Crowd(server, people, deflate) as crowd:
        await crowd.talk(WARM_UP, options.rate)
        worked, received = server.worked(), crowd.received
        paced = await crowd.talk(options.seconds, options.rate)
        worked, received = server.worked() - worked, crowd.received - received
        bursts: list[Figures] = []
        for _ in range(BURSTS if share == 1.0 else 1):
            await crowd.settles()
            bursts.append(await crowd.burst(max(1, round(share * options.burst))))
    delivered = max(1, paced.wanted - paced.lost)
    return Result(
        "fanout",
        case_of(people, deflate),
        side.name,
        run,
        {
            "p50": paced.p50,
            "p95": paced.p95,
            "p99": paced.p99,
            "burst": median([burst.per_second for burst in bursts]),
            "bytes": received / delivered,
            "work": 1e6 * worked / delivered,
        },
        saturated=any(phase.lost for phase in (paced, *bursts)),
        faults=faults_of(paced=paced, **{f"burst {k}": each for k, each in enumerate(bursts)}),
    )


FANOUT = Scenario(
    "fanout",
    "One room: from a send to everybody's having it",
    (
        Row(
            "p50",
            "paced p50, ms",
            digits=2,
            aims=(
                Aim(f"bare + {MORE}", lambda found: found["ours"] <= found["bare"] + MORE, "bare"),
            ),
        ),
        Row("p95", "paced p95, ms", digits=2),
        Row("p99", "paced p99, ms", digits=2),
        Row(
            "burst",
            "burst, deliveries/s",
            digits=0,
            aims=(
                Aim(
                    f"{TIMES_BARE:g} × bare",
                    lambda found: found["ours"] >= TIMES_BARE * found["bare"],
                    "bare",
                ),
                Aim(
                    f"{TIMES_NAIVE:g} × naive",
                    lambda found: found["ours"] >= TIMES_NAIVE * found["naive"],
                    "naive",
                ),
            ),
        ),
        Row("bytes", "paced, bytes on the wire per delivery", digits=0),
        Row("work", "paced, server µs per delivery", digits=0),
    ),
    _plan,
)
