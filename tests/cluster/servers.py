"""PostgreSQL, a bus and the workers, each a process of its own, and their faults."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psutil

from tests.bench.clock import now, pause
from tests.cluster.journal import JOURNAL
from tests.cluster.plan import Fault, Plan
from tests.support.bus_servers import BusServer
from tests.support.postgres import PostgresServer
from tests.support.server import Server, shiny_run

__all__ = ["ARRIVALS_APP", "Cluster", "serving"]

APP, ARRIVALS_APP = (Path(__file__).with_name(f"{name}.py") for name in ("app", "arrivals_app"))
AWAY = 1.0
"""How long a killed worker, and a killed bus, are away, in seconds."""
_FAULT = re.compile("Traceback|Task exception was never retrieved")


class Cluster:
    """
    The servers of a run. Made by `serving`.

    Attributes
    ----------
    url
        The database.
    workers
        The workers.
    faults
        When which fault was made.
    killed
        The processes of workers that were killed.
    """

    def __init__(self, database: PostgresServer, bus: BusServer, workers: list[Server]) -> None:
        self.workers = workers
        self.url = workers[0].url
        self.faults: list[tuple[float, Fault]] = []
        self.killed: set[int] = set()
        self._database = database
        self._bus = bus

    @property
    def ports(self) -> list[int]:
        """Those of the workers."""
        return [each.port for each in self.workers]

    async def fail(self, faults: list[Fault]) -> None:
        """Make faults, each at its time from now."""
        begin = now()
        for fault in faults:
            await pause(max(0.0, begin + fault.at - now()))
            self.faults.append((now(), fault))
            await self._make(fault)

    async def _make(self, fault: Fault) -> None:
        match fault.kind:
            case "worker":
                await self._replace(self.workers[fault.number])
            case "database":
                await asyncio.to_thread(self._database.kill)
                await asyncio.to_thread(self._database.start)
            case "bus":
                await self.be_without_bus(AWAY)

    async def _replace(self, worker: Server) -> None:
        self.killed.add(worker.pid)
        await asyncio.to_thread(worker.kill)
        await pause(AWAY)
        await asyncio.to_thread(worker.start)

    async def be_without_bus(self, seconds: float) -> None:
        """Have no bus for so long."""
        await asyncio.to_thread(self._bus.kill)
        await pause(seconds)
        await asyncio.to_thread(self._bus.start)

    def worked(self) -> float:
        """Seconds of processor time that all workers have used so far."""
        times = [psutil.Process(each.pid).cpu_times() for each in self.workers]
        return sum(each.user + each.system for each in times)

    def tracebacks(self) -> list[str]:
        """What the workers say of errors that nobody has caught, each with what follows."""
        return [
            "\n".join(each.log[k : k + 40])
            for each in self.workers
            for k, line in enumerate(each.log)
            if _FAULT.search(line)
        ]


@asynccontextmanager
async def serving(
    plan: Plan, journal: Path | None = None, app: Path = APP
) -> AsyncIterator[Cluster]:
    """Run the servers of a plan, and an app on them; its callbacks write into a journal."""
    database, bus = PostgresServer(), BusServer(plan.bus)
    try:
        await asyncio.to_thread(bus.start)
        url = database.make("cluster")
        variables = {} if journal is None else {JOURNAL: str(journal)}
        workers = [
            Server(shiny_run(app), url, bus=bus.url, variables=variables)
            for _ in range(plan.workers)
        ]
        try:
            await asyncio.gather(*(asyncio.to_thread(each.start) for each in workers))
            yield Cluster(database, bus, workers)
        finally:
            for each in workers:
                await asyncio.to_thread(each.stop)
    finally:
        bus.stop()
        database.stop()
