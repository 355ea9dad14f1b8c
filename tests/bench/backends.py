"""What the servers of a lab share: the database, a bus, and how much both of them work."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

__all__ = ["SQLITE", "Backend", "Shared", "shared", "work_of_all"]

DATABASE = "bench.db"
"""The name of the file, in a folder of its own."""


@dataclass(frozen=True, slots=True)
class Backend:
    """
    What the servers of a lab share, and how many they are.

    Parameters
    ----------
    database
        "sqlite" or "postgresql".
    bus
        "nats", "redis" or "postgresql", each a server of its own; "none": there is none; "": what
        is usual with the database.
    workers
        How many server processes there are.
    """

    database: str = "sqlite"
    bus: str = ""
    workers: int = 1


SQLITE = Backend()


@dataclass(frozen=True, slots=True)
class Shared:
    """
    A database and a bus that are there.

    Parameters
    ----------
    url
        The database.
    variables
        What servers have to be told of them, as environment variables.
    processes
        The first process of each, by what it is: "database", "bus".
    """

    url: str
    variables: Mapping[str, str]
    processes: Mapping[str, psutil.Process]


@asynccontextmanager
async def shared(backend: Backend, folder: Path) -> AsyncGenerator[Shared]:
    """
    Have a database and a bus as long as the context lasts.

    A file of SQLite is in `folder`. PostgreSQL has its files on the disk of the current folder, and
    flushes them to it: so the same disk is measured.
    """
    url = f"sqlite:///{folder / DATABASE}"
    variables: dict[str, str] = {}
    processes: dict[str, psutil.Process] = {}
    async with AsyncExitStack() as stack:
        if backend.database == "postgresql":
            # Imported here, as all else can be measured without the wheels of these servers.
            from tests.support.postgres import PostgresServer

            server = await asyncio.to_thread(PostgresServer, Path.cwd(), flushes=True)
            stack.push_async_callback(asyncio.to_thread, server.stop)
            url = await asyncio.to_thread(server.make, "bench")
            processes["database"] = psutil.Process(server.pid)
        if backend.bus not in ("", "none"):
            from tests.support.bus_servers import BusServer

            bus = BusServer(backend.bus)
            stack.push_async_callback(asyncio.to_thread, bus.stop)
            await asyncio.to_thread(bus.start)
            variables["LABCHAT_BUS"] = bus.url
            processes["bus"] = psutil.Process(bus.pid)
        elif backend.bus:
            variables["LABCHAT_BUS"] = backend.bus
        yield Shared(url, {**variables, "LABCHAT_URL": url}, processes)


def work_of_all(process: psutil.Process) -> float:
    """Seconds of processor time that a process and its children have used, ended ones, too."""
    return sum(sum(each.cpu_times()[:4]) for each in (process, *process.children(recursive=True)))
