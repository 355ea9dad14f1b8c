"""A room in which nobody sends: everybody types, and people go and come back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from itertools import count
from typing import Any

from tests.bench.clock import now, pause
from tests.bench.crowd import ROOM, Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import Server, serving
from tests.bench.sides import OURS, Person
from tests.bench.tally import Figures

__all__ = ["QUIET"]

EVERY = 3.0
"""A browser says that its person types this often, in seconds."""
AWAY = 1.0
"""How long somebody is gone before they come back, in seconds."""
P99 = 50.0
"""Milliseconds that our p99 shall stay below."""
TYPING = '{"t":"typing"}'

Doing = Callable[[], Coroutine[Any, Any, None]]


def _plan(options: Options) -> list[Job]:
    return [Job("ours", "ours", partial(_measure, options))]


async def _measure(options: Options) -> Result:
    half = options.crowd // 2
    async with serving(OURS) as server, Crowd(server, options.crowd - half) as crowd:
        passers = [await OURS.enter(server.port, ROOM) for _ in range(half)]
        place = _Place(options, server, crowd)
        still = await place.watch(_nothing)
        typing = await place.watch(partial(_type, crowd, passers, options.crowd - half))
        passing = await place.watch(partial(_pass_by, server, passers))
        for person in passers:
            person.vanish()
    values: dict[str, float] = {}
    for name, seen in (("still", still), ("typing", typing), ("passing", passing)):
        values |= {f"{name}_{key}": value for key, value in seen.values.items()}
    told = {"still": still.told, "typing": typing.told, "passing": passing.told}
    case = f"{options.crowd} people, {half} of them come and go"
    return Result("quiet", case, OURS.name, 0, values, faults=faults_of(**told))


@dataclass(frozen=True, slots=True)
class _Seen:
    values: dict[str, float]
    told: Figures


@dataclass(frozen=True, slots=True)
class _Place:
    options: Options
    server: Server
    crowd: Crowd

    async def watch(self, doing: Doing) -> _Seen:
        """What it costs while nobody sends, and then how long messages take meanwhile."""
        server, crowd, seconds = self.server, self.crowd, self.options.seconds
        async with _meanwhile(doing):
            await pause(EVERY + 1.0)  # by then it goes on as it will
            start, worked, frames = now(), server.worked(), crowd.frames
            await pause(seconds)
            took = now() - start
            values = {
                "work": 100 * (server.worked() - worked) / took,
                "frames": (crowd.frames - frames) / took,
            }
            told = await crowd.talk(seconds, self.options.rate)
        return _Seen({**values, "p99": told.p99}, told)


@asynccontextmanager
async def _meanwhile(doing: Doing) -> AsyncGenerator[None]:
    task = asyncio.create_task(doing())
    try:
        yield
    finally:
        task.cancel()
        failed = (await asyncio.gather(task, return_exceptions=True))[0]
        if isinstance(failed, Exception):
            raise failed


async def _nothing() -> None:
    pass


async def _type(crowd: Crowd, passers: list[Person], others: int) -> None:
    """Everybody types on, each saying so once in `EVERY` seconds."""
    everybody = others + len(passers)
    for turn in count():
        k = turn % everybody
        if k < others:
            await crowd.sends(k, TYPING)
        else:
            await passers[k - others].chat.send(TYPING)
        await pause(EVERY / everybody)


async def _pass_by(server: Server, passers: list[Person]) -> None:
    """One after the other goes away and comes back, all of them within `EVERY` seconds."""
    async with asyncio.TaskGroup() as group:
        for k in range(len(passers)):
            group.create_task(_come_and_go(server, passers, k))


async def _come_and_go(server: Server, passers: list[Person], k: int) -> None:
    await pause(EVERY * k / len(passers))
    while True:
        passers[k].chat.transport.abort()
        await pause(AWAY)
        came = await OURS.come(server.port, resume=passers[k].resume)
        came.page, passers[k] = passers[k].page, came
        await pause(EVERY - AWAY)


QUIET = Scenario(
    "quiet",
    "Nobody sends: what typing and coming and going cost",
    (
        Row("still_work", "nobody types: server, % of a core", digits=2),
        Row("still_frames", "nobody types: frames/s to half of them"),
        Row("still_p99", "nobody types: p99 of messages, ms"),
        Row("typing_work", "all type: server, % of a core"),
        Row("typing_frames", "all type: frames/s to half of them"),
        Row("typing_p99", "all type: p99 of messages, ms"),
        Row("passing_work", "half come and go: server, % of a core"),
        Row("passing_frames", "half come and go: frames/s to the others"),
        Row(
            "passing_p99",
            "half come and go: p99 of messages, ms",
            aims=(Aim(f"below {P99:g}", lambda found: found["ours"] < P99),),
        ),
    ),
    _plan,
)
