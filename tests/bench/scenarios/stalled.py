"""One browser stops reading while others say long things; later it reads on."""

from __future__ import annotations

import asyncio
import json
import re
from functools import partial

from websockets.exceptions import ConnectionClosed

from tests.bench.crowd import PATIENCE, ROOM, Crowd
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row, Scenario, faults_of
from tests.bench.servers import Server, serving
from tests.bench.sides import OURS, SIDES, Person, Side

__all__ = ["STALLED"]

LONG = " and goes on" * 1_660
"""What makes a line about 20 kB long."""
NOTHING = 20.0
"""Milliseconds that may come between two p99 of the same thing by chance."""
MEMORY = 20.0
"""MB that the server may grow by for the one."""
END = "and that is all"
_MARK = re.compile(r"@@(\d{6})@@")


def _plan(options: Options) -> list[Job]:
    return [Job(side.name, side.name, partial(_measure, options, side)) for side in SIDES]


async def _measure(options: Options, side: Side) -> Result:
    people = max(4, options.crowd // 10)
    async with serving(side) as server, Crowd(server, people) as crowd:
        await crowd.talk(1.0, options.rate, more=LONG)
        without = await crowd.talk(options.seconds, options.rate, more=LONG)
        person = await side.enter(server.port, ROOM, narrow=True)
        person.chat.transport.pause_reading()
        before = server.memory()
        during = await crowd.talk(options.stall, options.rate, more=LONG)
        grown = server.memory() - before
        person.chat.transport.resume_reading()
        late = _Late(server, person)
        await crowd.says(0, END)
        await late.catches_up()
    got = [number for number in late.got if number in crowd.numbers]
    missing = len(set(crowd.numbers) - set(got))
    faults = faults_of(without=without, during=during)
    if missing or len(set(got)) < len(got):
        faults.append(f"who stalled lacks {missing}, and got {len(got) - len(set(got))} twice")
    return Result(
        "stalled",
        f"{people} people, 20 kB messages",
        side.name,
        0,
        {
            "without": without.p99,
            "p99": during.p99,
            "more": during.p99 - without.p99,
            "grown": grown,
            "missing": missing,
            "again": late.came_back,
        },
        saturated=bool(without.lost or during.lost),
        faults=faults,
    )


class _Late:
    """Reads what has waited; comes back with what it has if it was sent away."""

    def __init__(self, server: Server, person: Person) -> None:
        self.got: list[int] = []
        self.came_back = 0
        self._server = server
        self._person = person
        self._upto = ""

    async def catches_up(self) -> None:
        """Read until the last message, or for `PATIENCE` seconds."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await self._reads_to_the_end():
                    await self._comes_back()
        except TimeoutError:
            pass  # what is missing is counted
        finally:
            self._person.vanish()

    async def _reads_to_the_end(self) -> bool:
        try:
            async for frame in self._person.chat:
                assert isinstance(frame, str)
                self.got += [int(mark) for mark in _MARK.findall(frame)]
                self._upto = _newest_in(frame) or self._upto
                if END in frame:
                    return True
        except ConnectionClosed:
            pass
        return False

    async def _comes_back(self) -> None:
        if not self._person.resume:
            raise TimeoutError  # it was sent away for good
        self.came_back += 1
        resume, after = self._person.resume, self._upto
        self._person = await OURS.come(self._server.port, after=after, resume=resume)


def _newest_in(frames: str) -> str:
    """The id of the newest item in a message of frames; "": there is none."""
    items = [item for frame in map(json.loads, frames.split("\n")) for item in frame.get("e", ())]
    return items[-1]["id"] if items else ""


STALLED = Scenario(
    "stalled",
    "One browser does not read: the others, and the server",
    (
        Row("without", "p99 without, ms"),
        Row("p99", "p99 meanwhile, ms"),
        Row(
            "more",
            "p99, more than without, ms",
            has_ratio=False,
            aims=(Aim(f"below {NOTHING:g}", lambda found: found["ours"] < NOTHING),),
        ),
        Row(
            "grown",
            "server has grown by, MB",
            aims=(Aim(f"below {MEMORY:g}", lambda found: found["ours"] < MEMORY),),
        ),
        Row("missing", "messages it lacks when it reads on", digits=0),
        Row("again", "times it had to come back", digits=0),
    ),
    _plan,
)
