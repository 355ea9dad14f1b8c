"""
Whether this server lives, and whether it can serve pages, for whoever watches over it.

Anybody may ask. So an answer has no address, no path and no name of anything; and however often it
is asked, the databases are looked at once a second.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Callable, Iterable
from functools import cached_property
from importlib.metadata import version

import sqlalchemy as sa
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from shiny_labchat.errors import StoreError
from shiny_labchat.store import Log
from shiny_labchat.store.schema import room
from shiny_labchat.store.seal import seal_of

__all__ = ["FRESH", "HEALTH_PATH", "STORED_WITHIN", "health_routes"]

HEALTH_PATH = "/labchat/health"
FRESH = 1.0
"""How long what was found is said again, in seconds."""
STORED_WITHIN = 2.0
"""How long a database may take until it has stored what waits, in seconds."""

_HEADERS = {"cache-control": "no-store", "x-content-type-options": "nosniff"}


class _Health:
    """
    Answers the requests.

    Parameters
    ----------
    logs
        Returns the logs of all labs that this process has open.
    """

    def __init__(self, logs: Callable[[], Iterable[Log]]) -> None:
        self._logs = logs
        self._looking: asyncio.Task[list[str]] | None = None
        self._looked_at = 0.0
        self._began_at = time.monotonic()

    @cached_property
    def _process(self) -> str:
        """A random name of this process; made when it is asked for, so after a fork."""
        return secrets.token_hex(4)

    async def live(self, request: Request) -> Response:
        """Say that the event loop goes on."""
        return JSONResponse({"status": "alive"}, headers=_HEADERS)

    async def ready(self, request: Request) -> Response:
        """Say whether all databases can be read and written, else with which codes they fail."""
        why = await self._why_not()
        return JSONResponse(_status(why), 503 if why else 200, _HEADERS)

    async def all(self, request: Request) -> Response:
        """As `ready`; also which process this is, what it runs, and what its clock says."""
        why = await self._why_not()
        told = {
            **_status(why),
            "process": self._process,
            "version": version("shiny-labchat"),
            "seconds": round(time.monotonic() - self._began_at),
            "waiting": sum(log.waiting for log in self._logs()),
            "clock": time.time_ns() // 1_000_000,
        }
        return JSONResponse(told, 503 if why else 200, _HEADERS)

    async def _why_not(self) -> list[str]:
        now = time.monotonic()
        if self._looking is None or (self._looking.done() and now > self._looked_at + FRESH):
            self._looked_at = now
            self._looking = asyncio.create_task(self._look())
        return await asyncio.shield(self._looking)

    async def _look(self) -> list[str]:
        found = await asyncio.gather(*(_trouble_of(log) for log in self._logs()))
        return sorted({code for code in found if code})


def _status(why: list[str]) -> dict[str, object]:
    return {"status": "not ready", "why": why} if why else {"status": "ready"}


async def _trouble_of(log: Log) -> str:
    """The code of what is wrong with a database; "": it can be read and written."""
    try:
        async with asyncio.timeout(STORED_WITHIN):
            if await log.read(seal_of, patience=0) is not None:
                return "store_moved"
            await asyncio.gather(log.write(_write_nothing), log.settled())
    except StoreError as exc:
        return exc.code
    except TimeoutError:
        return "store_busy"
    return ""


def _write_nothing(conn: sa.Connection, now: int) -> None:
    """Change no row: that waits for locks, too, and is refused where one may only read."""
    conn.execute(sa.update(room).where(sa.false()).values(seq=room.c.seq))


def health_routes(logs: Callable[[], Iterable[Log]]) -> list[Route]:
    """The routes of the answers; see `_Health`."""
    health = _Health(logs)
    return [
        Route(HEALTH_PATH, health.all),
        Route(f"{HEALTH_PATH}/live", health.live),
        Route(f"{HEALTH_PATH}/ready", health.ready),
    ]
