"""
A page that was open while the server was exchanged for one of protocol 2 is told to reload.

It speaks as the page of version 0.1 does. So its frames stand here as that page writes them, and
nothing here is shared with the other tests' browsers, which change with the protocol.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed

from shiny_labchat.domain.messages import text_of
from tests.support.client import browser
from tests.support.older_version import KNOWN, copied
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"
PAGE = KNOWN["page"]
PATIENCE = 20.0
"""How long a page waits for what it is to be sent, in seconds."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(shiny_run(APP), copied(tmp_path))
    server.start()
    yield server
    server.stop()


async def test_it_is_told_to_reload_and_stays_as_it_is(server: Server) -> None:
    """A goodbye that is final: it keeps what is in its box, and does not try again."""
    async with connect(f"ws://127.0.0.1:{server.port}/labchat/ws", proxy=None) as socket:
        token, after = PAGE["resume"], PAGE["after"]
        await socket.send(f'{{"t":"hello","v":1,"resume":"{token}","after":{after}}}')
        async with asyncio.timeout(PATIENCE):
            [goodbye] = map(json.loads, str(await socket.recv()).split("\n"))
            with pytest.raises(ConnectionClosed) as closed:
                await socket.recv()
    assert (goodbye["t"], goodbye["code"], goodbye["again"]) == ("bye", "old_page", False)
    assert "reload" in goodbye["say"]
    assert closed.value.rcvd is not None and closed.value.rcvd.code == 4426


async def test_reloaded_it_is_who_it_was_and_sees_what_it_missed(server: Server) -> None:
    async with browser(server.port) as page:
        welcome = await page.hello(resume=PAGE["resume"])
        for known in ("you", "max", "title", "state"):
            assert welcome[known] == PAGE["welcome"][known]
        missed = [item for item in PAGE["items"] if item["k"] == "msg" and "live" not in item]
        assert [text for text in map(_text, missed) if text not in page.texts] == []


async def test_what_was_being_said_when_the_server_died_ends_for_it(server: Server) -> None:
    async with browser(server.port) as page:
        await page.hello(resume=KNOWN["page_of_streams"]["resume"])
        ended = "What was **said** before the server<b>!</b>"
        await page.until(lambda: ended in page.texts)
        [said] = [item for item in page.items.values() if _text(item) == ended]
        await page.until(lambda: said.get("is") == "interrupted")


def _text(item: dict[str, Any]) -> str:
    return text_of(item["parts"])
