"""What is measured of a server again and again."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path

from tests.bench.clock import now, pause
from tests.bench.servers import Server
from tests.bench.tally import median
from tests.soak.people import Visitors

__all__ = ["Sample", "sampling"]

LOOKED_AT_EVERY = 0.5
"""How often memory and the write-ahead log are looked at, in seconds."""
MB = 2**20


@dataclass(frozen=True, slots=True)
class Sample:
    """
    What was found in one stretch of time.

    Parameters
    ----------
    at
        When it ended, in seconds from the beginning.
    memory
        The server's resident memory, in MB: the median of the stretch.
    wal
        The size of the write-ahead log, in MB: the largest of the stretch.
    sockets
        Open connections of the server.
    slowest
        The slowest message, in ms.
    visits
        Visits so far.
    tables
        The rows of each table.
    """

    at: float
    memory: float
    wal: float
    sockets: int
    slowest: float
    visits: int
    tables: Mapping[str, int]


@asynccontextmanager
async def sampling(
    server: Server, visitors: Visitors, every: float, tell: Callable[[Sample], None]
) -> AsyncGenerator[Sequence[Sample]]:
    """Take a sample after each `every` seconds inside the block; gives all of them."""
    samples: list[Sample] = []

    async def take_all() -> None:
        start = now()
        while True:
            samples.append(await _sample(server, visitors, start, every * (len(samples) + 1)))
            tell(samples[-1])

    task = asyncio.create_task(take_all())
    try:
        yield samples
    finally:
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        if isinstance(ended, Exception):
            raise ended


async def _sample(server: Server, visitors: Visitors, start: float, end: float) -> Sample:
    memory, wal = [server.memory()], 0.0
    while now() < start + end:
        await pause(min(LOOKED_AT_EVERY, start + end - now()))
        memory.append(server.memory())
        wal = max(wal, _size_of(server.database.with_name(f"{server.database.name}-wal")))
    tables = await asyncio.to_thread(_rows, server.database)
    slowest, visits = visitors.take_slowest(), visitors.visits
    return Sample(end, median(memory), wal, server.sockets, slowest, visits, tables)


def _size_of(path: Path) -> float:
    return path.stat().st_size / MB if path.exists() else 0.0


def _rows(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(database, isolation_level=None)) as conn:
        names = [name for (name,) in conn.execute(_TABLES)]
        return {
            name: conn.execute(_COUNT.get(name, _ROWS.format(name))).fetchone()[0] for name in names
        }


_TABLES = (
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY 1"
)
_ROWS = 'SELECT count(*) FROM "{}"'
_COUNT = {"event": "SELECT coalesce(sum(seq), 0) FROM room"}
"""Counting the events would read all of them; a room's head is their number."""
