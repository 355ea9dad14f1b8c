"""The gateway also lives under a path, behind a proxy, and in Shiny Core."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from shiny_labchat import Room
from shiny_labchat.access.tickets import ticket
from tests.support.client import browser
from tests.support.server import Server

CASES = {
    "core": (["app"], ""),
    "mounted": (["mounted"], "/inner"),
    "root-path": (["app", "--root-path", "/chat"], ""),
    "two workers": (["app", "--workers", "2"], ""),
}


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest, url: str) -> Iterator[tuple[Server, str]]:
    (name, *options), path = CASES[request.param]
    app = f"tests.integration.apps.mounted:{name}"
    server = Server(["-m", "uvicorn", app, *options], url)
    server.start()
    yield server, path
    server.stop()


async def test_people_talk_there(case: tuple[Server, str], room: Room) -> None:
    server, path = case
    async with httpx.AsyncClient() as client:
        page = await client.get(f"http://127.0.0.1:{server.port}{path}/")
    assert page.status_code == 200 and "<labchat-room" in page.text
    await room.add_member("ann")
    await room.add_member("bob")
    tickets = [await ticket(room.log, room.key, m, "p") for m in ("ann", "bob")]
    async with (
        browser(server.port, path=f"{path}/labchat/ws") as ann,
        browser(server.port, path=f"{path}/labchat/ws") as bob,
    ):
        await ann.hello(ticket=tickets[0])
        await bob.hello(ticket=tickets[1])
        await ann.says("hi")
        await bob.sees("hi")
        await bob.says("hello")
        await ann.sees("hi", "hello")
