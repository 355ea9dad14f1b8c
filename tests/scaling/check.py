"""500 people who talk on this machine, beside what is computed and simulated for them."""

from __future__ import annotations

from dataclasses import dataclass

from tests.bench.backends import Backend
from tests.bench.crowd import Crowd, spread
from tests.bench.servers import serving
from tests.bench.sides import OURS
from tests.scaling.cluster import Cluster, demand
from tests.scaling.costs import Costs
from tests.scaling.simulation import simulate

__all__ = ["Checked", "check"]

ROOMS, SIZE = 100, 5
SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Checked:
    """A figure as it was computed or simulated, and as it was measured."""

    what: str
    expected: float
    measured: float


async def check(costs: Costs, processes: int, rate: float) -> list[Checked]:
    """Let 500 people say so many messages a second, at so many processes with PostgreSQL."""
    backend = Backend("postgresql", "nats" if processes > 1 else "none", processes)
    rooms = spread(ROOMS, SIZE)
    async with serving(OURS, backend=backend) as server, Crowd(server, rooms) as crowd:
        await crowd.settles()
        await crowd.talk(1.0, rate)
        before = server.all_worked()
        told = await crowd.talk(SECONDS, rate)
        after = server.all_worked()
        memory = server.memory()
    took = told.wanted / SIZE / rate
    worked = {name: (after[name] - before[name]) / took for name in after}
    # Nobody comes meanwhile.
    cluster = Cluster(len(rooms), ROOMS, processes, pause=len(rooms) / rate, stay=float("inf"))
    load, talk = demand(costs, cluster), simulate(costs, cluster)
    return [
        Checked("cores of the servers", load.servers, worked["workers"]),
        Checked("cores of PostgreSQL", load.database, worked["database"]),
        Checked("memory of the servers, MB", load.memory, memory),
        Checked("p50, ms", talk.p50, told.p50),
        Checked("p99, ms", talk.p99, told.p99),
    ]
