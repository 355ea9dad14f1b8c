"""Two servers of one database, and each kind of bus between them, which fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.stream import RoomStream
from tests.support.backend import FreshUrl
from tests.support.bus_servers import KINDS, BusServer, lasts
from tests.support.client import Browser, browser
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"
AFTER = 2.0
"""Within how many seconds everybody has everything, whatever the bus does."""
OUTAGE = 10.0
"""How long the bus is away, in seconds."""
WITHIN = 60.0
"""How long a change of presence is waited for on a machine that is busy, in seconds."""


@pytest.fixture(scope="module", params=KINDS)
def bus(request: pytest.FixtureRequest) -> Iterator[BusServer]:
    bus = BusServer(request.param)
    bus.start()
    yield bus
    bus.stop()


@pytest.fixture
def lab(fresh_url: FreshUrl, bus: BusServer) -> Iterator[Lab]:
    """A lab of the test's own, from this process, which is on the bus as well."""
    lab = Lab(fresh_url(), bus=bus.url)
    yield lab
    lab.log.close()


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("r", study="tests", rules=Rules(rate=None))


@pytest.fixture
def servers(lab: Lab, room: Room, bus: BusServer) -> Iterator[list[Server]]:
    """Two servers of one database, on one bus."""
    both = [Server(shiny_run(APP), lab.url, bus=bus.url) for _ in range(2)]
    for server in both:
        server.start()
    yield both
    for server in both:
        server.stop()


@asynccontextmanager
async def come(room: Room, server: Server, member: str, **role: Any) -> AsyncIterator[Browser]:
    """A page of a member's at one of the servers."""
    await room.add_member(member, **role)
    raw = await ticket(room.log, room.key, member, f"page-of-{member}-{server.port}")
    async with browser(server.port) as opened:
        await opened.hello(ticket=raw)
        yield opened


async def are_here(page: Browser, number: int) -> None:
    """Wait until a page shows that so many people are here."""
    await page.until(lambda: _last(page, "presence").get("n") == number, WITHIN)


def _last(page: Browser, t: str) -> dict[str, Any]:
    return next((frame for frame in reversed(page.frames) if frame["t"] == t), {})


async def types_until_seen(here: Browser, there: Browser) -> None:
    """Type until the other page shows it, as people do."""
    async with asyncio.timeout(WITHIN):
        while not _last(there, "typing").get("who"):
            await here.tell(t="typing")
            await lasts(1.1)
            await there.settles()


async def test_people_at_two_servers_talk_see_who_is_there_and_who_types(
    room: Room, servers: list[Server]
) -> None:
    async with come(room, servers[0], "ann") as ann, come(room, servers[1], "bob") as bob:
        await are_here(ann, 2)
        await are_here(bob, 2)
        await ann.says("hi")
        await bob.sees("hi")
        await bob.says("hello")
        await ann.sees("hi", "hello")
        await types_until_seen(ann, bob)
        await ann.says("sent")
        await bob.until(lambda: not _last(bob, "typing")["who"], WITHIN)
        async with come(room, servers[1], "ann"):  # a second page, at the other server
            await bob.settles()
            await are_here(bob, 2)
    async with come(room, servers[0], "cleo") as cleo:
        await are_here(cleo, 1)


async def test_nobody_is_left_of_a_server_that_was_killed(
    room: Room, servers: list[Server]
) -> None:
    async with come(room, servers[0], "ann") as ann:
        async with come(room, servers[1], "bob"):
            await are_here(ann, 2)
            await asyncio.to_thread(servers[1].kill)
            await are_here(ann, 1)
        await asyncio.to_thread(servers[1].start)
        async with come(room, servers[1], "bob") as bob:
            await are_here(bob, 2)
            await are_here(ann, 2)


async def test_a_stream_of_another_process_is_stopped_by_who_may(
    room: Room, servers: list[Server]
) -> None:
    async with (
        come(room, servers[0], "ann") as ann,
        come(room, servers[1], "host", role="experimenter") as host,
    ):
        stream = await RoomStream.open(room, Post([], by="bob"), None)
        assert stream is not None
        await stream.append([("text", "a long answer")])
        for page in (ann, host):
            await page.until(lambda page=page: page.texts[-1:] == ["a long answer"])
        await ann.tell(t="stop", id=ann.upto)
        await ann.settles()
        await host.settles()
        assert stream.is_open, "she may not"
        await host.tell(t="stop", id=host.upto)
        await host.until(lambda: "live" not in [*host.items.values()][-1])
        assert not stream.is_open
        assert (await room.messages())[-1].content == "a long answer"


async def test_with_the_bus_gone_everybody_gets_everything_soon_and_all_comes_back_with_it(
    room: Room, servers: list[Server], bus: BusServer
) -> None:
    async with come(room, servers[0], "ann") as ann, come(room, servers[1], "bob") as bob:
        await are_here(bob, 2)
        await asyncio.to_thread(bus.kill)
        until, n = monotonic() + OUTAGE, 0
        while monotonic() < until:
            n += 1
            await ann.says(f"{n}")
            await bob.until(lambda n=n: bob.texts[-1:] == [f"{n}"], AFTER)
        assert n > 3
        await asyncio.to_thread(bus.start)
        for server in servers:
            await asyncio.to_thread(server.logs, "works again", within=WITHIN)
        await types_until_seen(ann, bob)
        await are_here(bob, 2)
        await are_here(ann, 2)


async def test_a_server_starts_while_there_is_no_bus(
    room: Room, servers: list[Server], bus: BusServer
) -> None:
    await asyncio.to_thread(bus.kill)
    try:
        await asyncio.to_thread(servers[0].kill)
        await asyncio.to_thread(servers[0].start)
        async with come(room, servers[0], "ann") as ann, come(room, servers[1], "bob") as bob:
            await ann.says("hi")
            await bob.until(lambda: bob.texts[-1:] == ["hi"], AFTER)
            await asyncio.to_thread(servers[0].logs, "does not work", within=WITHIN)
            await asyncio.to_thread(bus.start)
            await are_here(ann, 2)
            await are_here(bob, 2)
    finally:
        await asyncio.to_thread(bus.kill)
        await asyncio.to_thread(bus.start)
