"""The gateway also lives under a path, behind a proxy, and in Shiny Core."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.asyncio.client import connect

from shiny_labchat import Room
from shiny_labchat.access.tickets import ticket
from tests.support.client import browser
from tests.support.page import fetch_key
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


async def test_a_refused_visitor_finds_a_database_made(tmp_path: Path, sqlite_only: None) -> None:
    """So that `labchat links` makes the first link."""
    app = "tests.integration.apps.mounted:mounted_links_only"
    server = Server(["-m", "uvicorn", app], f"sqlite:///{tmp_path}/lab.db")
    server.start()
    try:
        url = f"ws://127.0.0.1:{server.port}/inner/websocket/"
        own = await fetch_key(server.port, "/inner/websocket/")
        hello = {"page": "p" * 20, "key": own, "browser": "b" * 20, "tab": "t" * 20, "n": 1}
        async with connect(url, proxy=None) as session:
            data = {"chat_hello": hello, ".clientdata_url_search": ""}
            await session.send(json.dumps({"method": "init", "data": data}))
            async for frame in session:
                if told := json.loads(frame).get("custom", {}).get("labchat"):
                    assert told["code"] == "not_invited"
                    break
        assert (tmp_path / "lab.db").exists()
    finally:
        server.stop()


async def test_people_talk_there(case: tuple[Server, str], room: Room) -> None:
    server, path = case
    async with httpx.AsyncClient() as client:
        page = await client.get(f"http://127.0.0.1:{server.port}{path}/")
        assert page.status_code == 200 and "<labchat-room" in page.text
        files = re.findall(r'(?:src|href)="(lib/[^"]+[.](?:js|css))"', page.text)
        assert any("shiny-labchat" in file for file in files)
        for file in files:
            loaded = await client.get(f"http://127.0.0.1:{server.port}{path}/{file}")
            is_long = len(loaded.content) >= 500
            assert loaded.status_code == 200
            assert loaded.headers.get("content-encoding") == ("gzip" if is_long else None)
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
