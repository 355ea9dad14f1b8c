"""The same people with one server process and with two: what the second one adds."""

from __future__ import annotations

from functools import partial
from itertools import product

from tests.bench.backends import Backend
from tests.bench.clock import now, pause
from tests.bench.crowd import ROOM, Crowd, spread
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.scenarios.fanout import WARM_UP, case_of
from tests.bench.servers import serving
from tests.bench.sides import OURS

__all__ = ["WORKERS"]

REST = 5.0
"""How long nobody talks afterwards, in seconds."""
TIMES = 1.25
"""How many times the work for a delivery with one process that with two may be."""
SIDES = {"one": 1, "two": 2}
BACKENDS = {"SQLite, NATS": ("sqlite", "nats"), "PostgreSQL, NATS": ("postgresql", "nats")}


def _plan(options: Options) -> list[Job]:
    many = f"{options.rooms} rooms of {options.room_size}"
    crowds = {
        case_of(options.crowd // 2): ([ROOM] * (options.crowd // 2), options.rate),
        many: (spread(options.rooms, options.room_size), options.rooms_rate),
    }
    return [
        Job(
            side,
            f"{case}, {backend}, {side}, run {run + 1}",
            partial(_measure, options, side, f"{case}, {backend}", BACKENDS[backend], run, *crowd),
        )
        for (case, crowd), backend, run, side in product(
            crowds.items(), BACKENDS, range(options.runs), SIDES
        )
    ]


async def _measure(
    options: Options,
    side: str,
    case: str,
    shared: tuple[str, str],
    run: int,
    rooms: list[str],
    rate: float,
) -> Result:
    database, bus = shared
    number = SIDES[side]
    async with (
        serving(OURS, backend=Backend(database, bus, number)) as server,
        Crowd(server, rooms) as crowd,
    ):
        await crowd.settles()
        await crowd.talk(WARM_UP, rate)
        before = server.all_worked()
        told = await crowd.talk(options.seconds, rate)
        after = server.all_worked()
        await crowd.settles()
        start, before_rest = now(), server.all_worked()
        await pause(REST)
        rest = sum(server.all_worked().values()) - sum(before_rest.values())
        rest = 1000 * rest / (now() - start)
    delivered = max(1, told.wanted - told.lost)
    work = {name: 1e6 * (after[name] - before[name]) / delivered for name in after}
    return Result(
        "workers",
        case,
        side,
        run,
        {"p50": told.p50, "p99": told.p99, "all": sum(work.values()), **work, "rest": rest},
        saturated=bool(told.lost),
        faults=faults_of(talk=told),
    )


WORKERS = Scenario(
    "workers",
    "The same people with one server process, and with two",
    (
        Row("p50", "p50, ms", digits=2),
        Row("p99", "p99, ms", digits=2),
        Row(
            "all",
            "processor, of all, µs per delivery",
            digits=0,
            aims=(
                Aim(f"{TIMES:g} × one", lambda found: found["two"] <= TIMES * found["one"], "one"),
            ),
        ),
        Row("workers", "of that, the server processes", digits=0),
        Row("database", "of that, PostgreSQL", digits=0),
        Row("bus", "of that, the bus", digits=0),
        Row("rest", "processor, of all, when nobody talks, ms a second"),
    ),
    _plan,
    columns=tuple(SIDES),
)
