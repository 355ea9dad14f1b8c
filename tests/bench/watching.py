"""What a server, its database and other processes notice while something is done."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import sys
import threading
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import urlopen

from tests.bench.clock import now, pause
from tests.bench.servers import Server
from tests.bench.tally import median

__all__ = ["Doing", "LockWatch", "ask", "beyond", "idles", "others_posts", "stands", "work_of"]

Doing = Callable[[], Awaitable[object]]

ANSWERS_WITHIN = 120.0
"""How long a server may take to answer, in seconds."""
AFTER = 0.3
"""How long something is watched after it was done, in seconds: what follows from it counts."""
IDLE, LOOKED_AT_EVERY = 0.03, 0.25
"""A server is idle if it has worked no longer than this in so much time, in seconds."""
IDLES_WITHIN = 60.0
"""How long to wait for that, in seconds."""
LOOK_AT_LOCK_EVERY = 0.001
"""How often the database's write lock is tried, in seconds."""


async def ask(server: Server, what: str, **query: object) -> Any:
    """What the server of `WATCHED` says of itself; see `watched_app`."""
    address = f"http://127.0.0.1:{server.port}/watched/{what}?{urlencode(query)}"

    def read() -> Any:
        with urlopen(address, timeout=ANSWERS_WITHIN) as answer:
            return json.loads(answer.read())

    return await asyncio.to_thread(read)


async def stands(server: Server, doing: Doing) -> float:
    """The longest that the server's event loop stands while something is done, in ms."""
    await ask(server, "lag")
    await doing()
    await pause(AFTER)
    return await ask(server, "lag")


async def work_of(server: Server, doing: Doing) -> float:
    """How long the server's processor works because of something, in ms."""
    await idles(server)
    before = server.worked()
    await doing()
    await idles(server)
    return 1000 * (server.worked() - before)


async def idles(server: Server) -> None:
    """Wait until the server has nothing more to do."""
    give_up = now() + IDLES_WITHIN
    worked = float("-inf")
    while server.worked() - worked > IDLE and now() < give_up:
        worked = server.worked()
        await pause(LOOKED_AT_EVERY)


def beyond(loud: list[float], quiet: list[float]) -> float:
    """How far the median of the worsts lies above that of the quiet control."""
    return max(0.0, median(loud) - median(quiet))


class LockWatch:
    """
    How long a database's write lock is held by others at a time.

    It tries to take the lock again and again, and gives it back at once.
    """

    def __init__(self, database: Path) -> None:
        self._database = database
        self._longest = 0.0
        self._since: float | None = None
        self._is_over = threading.Event()

    @asynccontextmanager
    async def watching(self) -> AsyncGenerator[LockWatch]:
        """Watch it, in a thread, inside the ``async with`` block."""
        watch = asyncio.create_task(asyncio.to_thread(self._watch))
        try:
            yield self
        finally:
            self._is_over.set()
            await watch

    def take(self) -> float:
        """The longest since this was last asked, in milliseconds."""
        held = 0.0 if self._since is None else now() - self._since
        longest, self._longest = max(self._longest, held), 0.0
        return 1000 * longest

    def _watch(self) -> None:
        conn = sqlite3.connect(self._database, timeout=0, isolation_level=None)
        while not self._is_over.wait(LOOK_AT_LOCK_EVERY):
            try:
                conn.execute("BEGIN IMMEDIATE")
                conn.execute("ROLLBACK")
            except sqlite3.OperationalError:
                self._since = self._since or now()
            else:
                if self._since is not None:
                    self._longest = max(self._longest, now() - self._since)
                self._since = None
        conn.close()


async def others_posts(server: Server, room: str, seconds: float, runs: int) -> list[float]:
    """The slowest post, in ms, of each of some stretches in which another process posts."""
    what = server.url, room, str(seconds), str(runs)
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.bench.sides.ours_elsewhere", *what),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"another process could not post: {said.decode()}")
    return json.loads(output)
