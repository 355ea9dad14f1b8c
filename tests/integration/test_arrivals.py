"""
Many people arrive at a study that two servers serve; some leave without a word, some reload.

What became of them is read from the database by `tests.support.check_groups`, which imports nothing
of the package, and all that was decided is decided again.
"""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from shiny_labchat import Lab
from tests.support.backend import FreshUrl
from tests.support.check_groups import check_groups, read_log
from tests.support.journal import decide_again, journals_of
from tests.support.server import Server, shiny_run
from tests.support.visitor import Visitor, go_by, visitor

APP = Path(__file__).parent / "apps" / "arrivals.py"
STUDY, LOBBY = "arrivals", "lobby"
CONDITIONS = ["calm", "heated", "plain"]
SECOND = 1_000_000


@dataclass
class Crowd:
    """
    The people who arrive, and how.

    Parameters
    ----------
    number
        How many arrive.
    within
        In which time, in seconds.
    max_wait, ready, alive
        Of the lobby, in seconds.
    """

    number: int
    within: float
    max_wait: float
    ready: float
    alive: float
    ports: list[int] = field(default_factory=list[int])
    over: asyncio.Event = field(default_factory=asyncio.Event)
    settled: int = 0
    outcomes: list[str] = field(default_factory=list[str])
    waits: list[float] = field(default_factory=list[float])

    def plan(self, draw: random.Random) -> list[str]:
        """What each of them does: 15 % fall silent, 5 % have two tabs, 5 % reload when called."""
        shares = {"open but silent": 0.10, "dropped": 0.05, "two tabs": 0.05, "reloads": 0.05}
        kinds = [kind for kind, share in shares.items() for _ in range(round(share * self.number))]
        kinds += ["stays"] * (self.number - len(kinds))
        draw.shuffle(kinds)
        return kinds

    async def arrive(self) -> None:
        """Have all of them come, and wait until everybody has a group or an end."""
        draw = random.Random(15)
        kinds = self.plan(draw)
        at = sorted(draw.uniform(0, self.within) for _ in kinds)
        people = [
            asyncio.create_task(self.comes(n, kind, after, draw.uniform(0, 3)))
            for n, (kind, after) in enumerate(zip(kinds, at, strict=True))
        ]
        stay = sum(kind not in ("open but silent", "dropped") for kind in kinds)
        while self.settled < stay and not any(task.done() for task in people):
            await asyncio.wait(people, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        self.over.set()
        await asyncio.gather(*people)

    async def comes(self, n: int, kind: str, after: float, silent_after: float) -> None:
        await go_by(after)
        port, key = self.ports[n % 2], secrets.token_hex(16)
        async with AsyncExitStack() as stack:
            page = await stack.enter_async_context(visitor(port, key=key))
            await page.sees("consent")
            await page.does("consent", version="1", answers={})
            if kind in ("open but silent", "dropped"):
                await page.sees("waiting", "ready", "moment", "ended")
                await self.falls_silent(page, kind, silent_after)
                return
            if kind == "two tabs":
                await stack.enter_async_context(visitor(port, key=key))
            began = time.monotonic()
            if kind == "reloads":
                await page.sees("ready", "ended", "moment")
                await page.close()
                page = await stack.enter_async_context(visitor(port, key=key))
            await self.takes_part(page)
            self.waits.append(time.monotonic() - began)
            self.settled += 1
            await self.over.wait()

    async def falls_silent(self, page: Visitor, kind: str, after: float) -> None:
        await go_by(after)
        page.drop() if kind == "dropped" else page.be_silent()
        assert page.study is not None
        await self.over.wait()

    async def takes_part(self, page: Visitor) -> None:
        """Answer what the study asks, until there is a group or an end."""
        while True:
            screen = await page.sees("ready", "wait_again", "ended", "moment", "idle", "none")
            asked = [button["do"] for button in screen.get("buttons", ())]
            if screen["is"] == "ended":
                self.outcomes.append(screen["code"]["value"])
                return
            if screen["is"] == "moment":
                await page.until(lambda: "Your group" in page.page)
                self.outcomes.append("grouped")
                return
            for action in ("ready", "wait_again", "confirm"):
                if action in asked:
                    await page.does(action)
            await page.until(lambda seen=screen: page.screen is not seen)


@pytest.fixture
def url(fresh_url: FreshUrl) -> str:
    return fresh_url()


@contextmanager
def settings(**values: object) -> Iterator[None]:
    """What the app under test is told by its environment."""
    names = {name.upper(): str(value) for name, value in values.items()}
    os.environ.update(names)
    try:
        yield
    finally:
        for name in names:
            del os.environ[name]


@asynccontextmanager
async def two_servers(crowd: Crowd, url: str) -> AsyncIterator[list[Server]]:
    servers = [Server(shiny_run(APP), url) for _ in range(2)]
    with settings(max_wait=crowd.max_wait, ready=crowd.ready, alive=crowd.alive):
        for server in servers:
            await asyncio.to_thread(server.start)
    try:
        yield servers
    finally:
        for server in servers:
            await asyncio.to_thread(server.stop)


def longest_beyond(url: str, crowd: Crowd) -> float:
    """By how much anybody waited longer than their limit and their ready checks, in seconds."""
    log = read_log(url, STUDY, "lobby", LOBBY)
    since: dict[str, int] = {}
    until: dict[str, int] = {}
    beyond = [0.0]
    for event in log:
        who, data = event["member"], event["data"]
        if event["kind"] == "entered":
            since[who] = until[who] = event["at"]
        for person in data.get("people", ()) if event["kind"] == "requeued" else ():
            until[person] = event["at"]
        if event["kind"] == "left":
            limit = max(since[who] + crowd.max_wait * SECOND, until[who])
            beyond.append((event["at"] - limit) / SECOND)
    return max(beyond)


async def check(crowd: Crowd, url: str, capsys: pytest.CaptureFixture[str]) -> None:
    async with two_servers(crowd, url) as servers:
        crowd.ports = [server.port for server in servers]
        await crowd.arrive()
        lines = [line for server in servers for line in server.log]
    found = check_groups(url, STUDY, LOBBY, crowd.alive, CONDITIONS)
    beyond = longest_beyond(url, crowd)
    lab = Lab(url)
    decided = await lab.log.read(lambda conn: decide_again(conn, STUDY, journals_of(url)))
    lab.log.close()
    with capsys.disabled():
        print(f"\n{crowd.number} arrivals in {crowd.within} s, two servers")
        print(*(f"  {name}: {value}" for name, value in found.items()), sep="\n")
        print(f"  outcomes on pages: {Counter(crowd.outcomes)}")
        print(f"  longest wait: {max(crowd.waits):.1f} s; beyond the limit: {beyond:.2f} s")
        print(f"  decided again: {decided}")
    assert found["ghosts"] == [] and found["in two groups"] == 0
    assert found["people grouped"] == crowd.outcomes.count("grouped"), "none of the silent ones"
    assert found["smaller cell passed over"] == 0
    assert beyond <= 2
    assert set(crowd.outcomes) <= {"grouped", "LT22", "NR33"}
    assert decided["not given"] == 0 and decided["decided"] > crowd.number
    assert not [line for line in lines if "Traceback" in line]
    check_posts(url)


def check_posts(url: str) -> None:
    """What `after_grouping` posts is in each room once."""
    for event in read_log(url, STUDY, "lobby", LOBBY):
        if event["kind"] == "grouped":
            room = read_log(url, STUDY, "room", event["data"]["room"])
            said = [each["data"] for each in room if each["kind"] == "message"]
            assert len(said) == 2, said


async def test_nobody_is_grouped_who_is_not_there_nor_waits_without_an_end(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    await check(Crowd(24, within=6, max_wait=14, ready=6, alive=5), url, capsys)


@pytest.mark.long
async def test_the_same_holds_for_two_hundred(url: str, capsys: pytest.CaptureFixture[str]) -> None:
    await check(Crowd(200, within=60, max_wait=40, ready=15, alive=10), url, capsys)
