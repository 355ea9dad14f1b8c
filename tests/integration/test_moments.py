"""What is due by a room's clock, in real servers: once, after crashes, in several processes."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.callbacks.worker import TRIES
from shiny_labchat.store.leases import LEASE
from tests.contract.test_clocks import started
from tests.support.backend import FreshUrl
from tests.support.server import Server, shiny_run

from .conftest import log_of

APP = Path(__file__).parent / "apps" / "moments.py"
AFTER = 120.0
LEFT = 6.0
"""In how many seconds it is due in a room whose time has started before."""
LATE = 5.0
"""By how many seconds it may be late, counted from when the server is up again."""
WITHIN = LEFT + LEASE / 1e6 + 30.0


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """A lab of the test's own, from this process, which has no callbacks."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def servers(lab: Lab) -> Iterator[list[Server]]:
    """Two servers of one database, not started."""
    both = [Server(shiny_run(APP), lab.url, variables={"AFTER": str(AFTER)}) for _ in range(2)]
    yield both
    for server in both:
        server.stop()


async def a_room(lab: Lab, id: str, left: float = LEFT) -> tuple[Room, float]:
    """A room whose time has started, and when it is due there: so many seconds are left."""
    rules = Rules(duration=600, starts="code")
    room = await lab.create_room(id, study="tests", rules=rules)
    await started(room, AFTER - left)
    [begun] = [event for event in await log_of(room) if event.kind == "started"]
    return room, begun.at / 1e6 + AFTER


async def said(room: Room, number: int = 2) -> list[str]:
    """What was said once so much was, and the failing function was passed over."""
    async with asyncio.timeout(WITHIN):
        while len(await room.messages()) < number or not await passed_over(room):
            await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=0.1)
    return sorted(message.content.split(",")[0] for message in await room.messages())


async def passed_over(room: Room) -> list[int]:
    return [e.data["tries"] for e in await log_of(room) if e.kind == "passed_over"]


async def is_at(moment: float) -> None:
    left = max(0.0, moment - time.time())
    await asyncio.wait([asyncio.get_running_loop().create_future()], timeout=left)


@pytest.mark.parametrize("left", [LEFT, pytest.param(AFTER, marks=pytest.mark.long)])
async def test_what_was_due_while_no_server_was_there_is_done_once_and_soon(
    servers: list[Server], lab: Lab, left: float
) -> None:
    """It is killed a second before 120 s are over; nobody has the room open."""
    server = servers[0]
    server.start()
    room, due = await a_room(lab, "r1", left)
    await is_at(due - 1)
    server.kill()
    assert await room.messages() == []
    server.start()
    up = time.time()
    assert await said(room) == ["It is time.", "Time"]
    for message in await room.messages():
        assert due <= message.at.timestamp() < max(due, up) + LATE
    server.kill()
    server.start()
    later, _ = await a_room(lab, "r2")
    assert await said(later) == ["It is time.", "Time"]
    assert await said(room) == ["It is time.", "Time"]
    assert await passed_over(room) == [TRIES]


async def test_of_two_servers_one_does_it(servers: list[Server], lab: Lab) -> None:
    for server in servers:
        server.start()
    rooms = [await a_room(lab, f"r{n}") for n in range(8)]
    for room, _ in rooms:
        assert await said(room) == ["It is time.", "Time"]
    for room, due in rooms:
        await is_at(due + LATE)
        assert await said(room) == ["It is time.", "Time"]
        moments = [event for event in await log_of(room) if event.kind == "triggered"]
        assert len(moments) == 3, "for the bot, and for two functions"
