"""
Ours, and what its server notices: ``/watched/...`` gives it as JSON.

``lag``: the longest that the event loop has stood since this was last asked, in milliseconds.
``reads``: how many statements have read events since this was last asked, and of how many rooms
the state was computed anew. ``last?room=&number=``: calls `Room.messages`. ``post?room=``: posts.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event as sa_event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from tests.bench.clock import now, pause
from tests.bench.sides.ours_app import app as ours_app
from tests.bench.sides.ours_app import lab
from tests.bench.sides.ours_rooms import STUDY

__all__ = ["app"]

EVERY = 0.002
"""How often the loop is looked at, in seconds."""
READS_EVENTS = re.compile(r"\sFROM event\s")
FOLDS = re.compile(r"kind NOT IN")


class Lag:
    """The longest that the event loop has stood."""

    def __init__(self) -> None:
        self._worst = 0.0
        self._watching: asyncio.Task[None] | None = None

    async def _watch(self) -> None:
        while True:
            start = now()
            await pause(EVERY)
            self._worst = max(self._worst, now() - start - EVERY)

    async def take(self) -> float:
        """The longest since this was last asked, in milliseconds; the first time begins it."""
        if self._watching is None:
            self._watching = asyncio.create_task(self._watch())
        await pause(2 * EVERY)  # what has just stood is counted, too
        worst, self._worst = self._worst, 0.0
        return 1000 * worst


class Reads:
    """How many statements have read events."""

    def __init__(self) -> None:
        self.events = 0
        self.folds = 0
        sa_event.listen(sa.Engine, "before_cursor_execute", self._count)

    def _count(self, conn: Any, cursor: Any, statement: str, *_: Any) -> None:
        self.events += READS_EVENTS.search(statement) is not None
        self.folds += FOLDS.search(statement) is not None

    def take(self) -> dict[str, int]:
        """How many since this was last asked."""
        taken = {"events": self.events, "folds": self.folds}
        self.events = self.folds = 0
        return taken


lag, reads = Lag(), Reads()


async def _lag(request: Request) -> JSONResponse:
    return JSONResponse(await lag.take())


async def _reads(request: Request) -> JSONResponse:
    return JSONResponse(reads.take())


async def _last(request: Request) -> JSONResponse:
    room = lab.room(request.query_params["room"], study=STUDY)
    found = await room.messages(last=int(request.query_params["number"]))
    return JSONResponse(len(found))


async def _post(request: Request) -> JSONResponse:
    room = lab.room(request.query_params["room"], study=STUDY)
    return JSONResponse((await room.post("something short", author="p0")).seq)


watched = Starlette(
    routes=[
        Route("/watched/lag", _lag),
        Route("/watched/reads", _reads),
        Route("/watched/last", _last),
        Route("/watched/post", _post),
    ]
)


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Ours, and what is watched of it."""
    is_watched = scope["type"] == "http" and scope["path"].startswith("/watched/")
    await (watched if is_watched else ours_app)(scope, receive, send)
