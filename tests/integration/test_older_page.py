"""
A page that was open while the server was exchanged for a newer version goes on.

It speaks as the page of version 0.1 does. So its frames stand here as that page writes them, and
nothing here is shared with the other tests' browsers, which change with the protocol.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection, connect

from tests.support.older_version import KNOWN, copied
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"
PAGE = KNOWN["page"]
STREAM = KNOWN["page_of_streams"]
PATIENCE = 20.0
"""How long a page waits for what it is to be sent, in seconds."""


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    server = Server(shiny_run(APP), copied(tmp_path))
    server.start()
    yield server
    server.stop()


class OlderPage:
    """
    What a page of version 0.1 makes of the frames that it is sent.

    Attributes
    ----------
    welcome
        The answer to its hello.
    items
        What it was sent since, in order.
    acks
        The seqs of its messages, by their ids.
    texts
        What was said by the streams whose pieces it was sent, by their seqs.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.welcome: dict[str, Any] = {}
        self.items: list[dict[str, Any]] = []
        self.acks: dict[str, int] = {}
        self.texts: dict[int, str] = {}
        self.cursor = 0
        self._socket = socket

    async def tell(self, frame: str) -> None:
        """Send a frame, written down as it is."""
        await self._socket.send(frame)

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Take in frames until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                for line in str(await self._socket.recv()).split("\n"):
                    self._take(json.loads(line))

    def _take(self, frame: dict[str, Any]) -> None:
        match frame["t"]:
            case "welcome":
                self.welcome = frame
                self.cursor = frame["upto"]
            case "events":
                assert frame["upto"] > self.cursor
                self.items += frame["e"]
                self.cursor = frame["upto"]
            case "chunks":
                for seq, more, *keep in frame["of"]:
                    self._grow(seq, more, *keep[:1])
            case "acks":
                self.acks |= dict(frame["of"])
            case "bye" | "refused":
                raise AssertionError(frame)
            case _:
                pass

    def _grow(self, seq: int, more: Any, keep: int | None = None) -> None:
        said = [["", more]] if isinstance(more, str) else more
        before = self.texts.get(seq, "")
        self.texts[seq] = before[:keep] + "".join(text for kind, text in said if kind != "thinking")


@asynccontextmanager
async def opened(server: Server, known: dict[str, Any]) -> AsyncIterator[OlderPage]:
    """The page, come back with the token and the cursor that it had."""
    async with connect(f"ws://127.0.0.1:{server.port}/labchat/ws", proxy=None) as socket:
        page = OlderPage(socket)
        token, after = known["resume"], known["after"]
        await page.tell(f'{{"t":"hello","v":1,"resume":"{token}","after":{after}}}')
        await page.until(lambda: bool(page.welcome))
        yield page


async def test_it_is_welcomed_as_who_it_was(server: Server) -> None:
    async with opened(server, PAGE) as page:
        assert page.welcome == PAGE["welcome"]


async def test_it_gets_exactly_what_it_missed(server: Server) -> None:
    """In order: with private messages for it alone, and the rest of what was being said."""
    async with opened(server, PAGE) as page:
        await page.until(lambda: len(page.items) >= len(PAGE["items"]))
        assert page.items == PAGE["items"]
        assert list(page.texts.values()) == ["It was open when she left."]
        await page.tell('{"t":"ping"}')
        await page.tell('{"t":"send","cid":"77777777-0","text":"Nothing came between"}')
        await page.until(lambda: len(page.items) > len(PAGE["items"]))
        assert page.items[-1]["parts"] == [["text", "Nothing came between"]]


async def test_what_it_says_again_is_one_message_and_what_is_new_is_another(
    server: Server,
) -> None:
    """The message was stored; that it was had not reached the page."""
    async with opened(server, PAGE) as page:
        await page.tell('{"t":"send","cid":"55555555-1","text":"Did this arrive?"}')
        await page.tell('{"t":"typing"}')
        await page.tell('{"t":"send","cid":"55555555-2","text":"I am back"}')
        await page.until(lambda: len(page.acks) == 2)
        await page.until(lambda: page.cursor >= page.acks["55555555-2"])
        own = [(item["seq"], item["parts"]) for item in page.items if item["k"] == "msg"]
        for cid, text in (("55555555-1", "Did this arrive?"), ("55555555-2", "I am back")):
            assert [seq for seq, parts in own if parts == [["text", text]]] == [page.acks[cid]]
        assert own[-1][0] == page.acks["55555555-2"] > PAGE["items"][-1]["seq"]


async def test_it_may_scroll_back_to_what_it_has_not_drawn(server: Server) -> None:
    async with connect(f"ws://127.0.0.1:{server.port}/labchat/ws", proxy=None) as socket:
        await socket.send(f'{{"t":"hello","v":1,"resume":"{PAGE["resume"]}","after":0}}')
        await socket.send(f'{{"t":"older","before":{PAGE["after"]}}}')
        older: list[Any] = []
        async with asyncio.timeout(PATIENCE):
            while not older:
                frames = map(json.loads, str(await socket.recv()).split("\n"))
                older = [frame for frame in frames if frame["t"] == "older"]
        assert older == [PAGE["older"]]


async def test_what_was_being_said_when_the_server_died_ends_for_it(server: Server) -> None:
    async with opened(server, STREAM) as page:
        await page.until(lambda: any(item["k"] == "end" for item in page.items))
        (end,) = page.items
        assert (end["of"], end["is"]) == (STREAM["of"], "interrupted")
        assert page.texts == {STREAM["of"]: "What was **said** before the server<b>!</b>"}
