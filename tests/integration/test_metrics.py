"""What a server measures, as its own SDK of OpenTelemetry prints it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.errors import SENTENCES
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.metrics import Measured, measured_in
from tests.support.server import Server, shiny_run

pytestmark = pytest.mark.anyio

APP = Path(__file__).parent / "apps" / "measured.py"
PATIENCE = 30.0
KINDS = {"action", "connection", "message", "page", "room", "study"}


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def measuring(lab: Lab) -> Iterator[Server]:
    server = Server(shiny_run(APP), lab.url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def room(lab: Lab) -> Room:
    room = await lab.create_room("secret-room", study="secret-study", rules=Rules(rate=None))
    await room.add_member("secret-member")
    return room


def printed(server: Server) -> list[str]:
    return [line for line in server.log if line.startswith("{")]


async def until(server: Server, is_so: Callable[[Measured], bool]) -> Measured:
    """What the server has measured, as soon as something is so."""
    last: Measured = {}
    async with asyncio.timeout(PATIENCE):
        while not is_so(last):
            since = len(server.log)
            line = await asyncio.to_thread(server.logs, r"^\{", since=since, within=PATIENCE)
            last = measured_in(json.loads(line))
    return last


def of(measured: Measured, name: str, *attributes: str) -> float:
    return measured.get((name, frozenset(attributes)), 0)


async def come(server: Server, room: Room, opened: Browser, after: str = "") -> None:
    raw = await ticket(room.log, room.key, "secret-member", "secret-page")
    await opened.hello(ticket=raw, after=after)


async def test_a_server_counts_its_people_rooms_messages_and_refusals(
    measuring: Server, room: Room
) -> None:
    async with browser(measuring.port) as opened:
        await come(measuring, room, opened)
        await opened.says("secret-text")
        assert await opened.tries(" ") == "empty"

        def is_counted(now: Measured) -> bool:
            return of(now, "labchat.refusals", "message", "empty") == 1

        now = await until(measuring, is_counted)
        assert of(now, "labchat.open_connections", "room") == 1
        assert of(now, "labchat.open_rooms") == 1
        assert of(now, "labchat.stored_events") >= 1
        assert of(now, "labchat.commit.duration") >= 1
        assert of(now, "labchat.queued_commands") == 0
    await until(measuring, lambda now: of(now, "labchat.open_connections", "room") == 0)
    async with browser(measuring.port) as stranger:
        await stranger.tell(t="hello", v=-1)
        await stranger.is_sent_away()
    await until(measuring, lambda now: of(now, "labchat.open_rooms") == 0)


async def test_a_page_that_was_away_for_long_is_counted_when_it_is_sent_the_rest(
    measuring: Server, room: Room
) -> None:
    async with browser(measuring.port) as opened:
        await come(measuring, room, opened)
        await opened.says("before")
    await asyncio.gather(*(room.post(f"{n}") for n in range(300)))
    async with browser(measuring.port) as again:
        await come(measuring, room, again, after=opened.upto)
        await again.until(lambda: "299" in again.texts)
    await until(measuring, lambda now: of(now, "labchat.catch_ups", "page") >= 1)


async def test_what_is_measured_names_nobody_and_nothing(measuring: Server, room: Room) -> None:
    async with browser(measuring.port) as opened:
        await come(measuring, room, opened)
        await opened.says("secret-text")
        assert await opened.tries("") == "empty"
        now = await until(measuring, lambda now: of(now, "labchat.stored_events") >= 1)
    assert "secret" not in "".join(printed(measuring))
    assert {value for _, values in now for value in values} <= {*SENTENCES, *KINDS}
