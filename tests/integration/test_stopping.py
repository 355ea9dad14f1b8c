"""A server that is stopped: nobody keeps it from stopping, and what was sent to it is stored."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.database import held
from tests.support.server import Server, shiny_run

pytestmark = pytest.mark.anyio

APP = Path(__file__).parent / "apps" / "room.py"
STOPPED = "Application shutdown complete"
LONG = "x" * 19_000
"""Six hundred of these are more than the buffers between a server and a browser take."""


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def stopping(lab: Lab) -> Iterator[Server]:
    server = Server(shiny_run(APP), lab.url)
    server.start()
    yield server
    server.kill()


@pytest.fixture
async def room(lab: Lab) -> Room:
    room = await lab.create_room("r", study="tests", rules=Rules(rate=None, max_length=20_000))
    await room.add_member("ann")
    return room


async def come(room: Room, opened: Browser) -> None:
    await opened.hello(ticket=await ticket(room.log, room.key, "ann", "page"))


async def logs(server: Server, wanted: str, within: float) -> str:
    return await asyncio.to_thread(server.logs, wanted, within=within)


async def test_a_browser_that_reads_nothing_keeps_no_server_from_stopping(
    stopping: Server, room: Room
) -> None:
    async with browser(stopping.port, max_queue=1, close_timeout=1) as stalled:
        await come(room, stalled)
        await asyncio.gather(*(room.post(LONG) for _ in range(600)))
        async with browser(stopping.port) as other:
            await come(room, other)
            await other.says("all are sent")
            stopping.signal(signal.SIGTERM)
            assert await other.ends() == 1012  # pages connect again
        await logs(stopping, "Waiting for connections to close", within=10)
        await logs(stopping, STOPPED, within=10)


async def test_a_server_that_stops_waits_until_all_is_stored(stopping: Server, room: Room) -> None:
    async with browser(stopping.port) as ann:
        await come(room, ann)
        await ann.says("before")
        with held(stopping.url):
            await ann.send("on its way")
            await ann.settles()
            stopping.signal(signal.SIGTERM)
            await logs(stopping, "Waiting for application shutdown", within=10)
            with pytest.raises(AssertionError):
                await logs(stopping, STOPPED, within=1)
        await logs(stopping, STOPPED, within=10)
        stopping.kill()
    assert (await room.messages())[-1].content == "on its way"
