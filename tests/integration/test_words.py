"""What a lab says in another language, over real sockets, and in the page that it serves."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.protocol import VERSION
from shiny_labchat.words import CATALOGUE
from tests.support.backend import FreshUrl
from tests.support.client import browser
from tests.support.page import page
from tests.support.server import Server, shiny_run

from .conftest import Come

APP = Path(__file__).parent / "apps" / "german.py"
GERMAN = CATALOGUE["de"]


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def server(lab: Lab) -> Iterator[Server]:
    server = Server(shiny_run(APP), lab.url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("page", study="tests", rules=Rules(max_length=5))


async def test_why_a_message_is_refused_is_said_in_the_language_of_the_lab(come: Come) -> None:
    async with come("ann") as ann:
        cid = await ann.send("123456")
        refused = await ann.hears("refused", cid=cid)
        assert refused["say"] == "Die Nachricht ist zu lang. Bitte höchstens 5 Zeichen."
        cid = await ann.send("  ")
        assert (await ann.hears("refused", cid=cid))["say"] == GERMAN["empty"]


async def test_a_state_and_a_goodbye_are_said_in_the_words_of_the_lab(
    come: Come, room: Room
) -> None:
    async with come("ann") as ann:
        await room.mute("ann")
        assert (await ann.hears("state"))["state"]["say"] == "Bitte hören Sie zu."
        await room.remove_member("ann")
        assert (await ann.hears("bye"))["say"] == GERMAN["removed"]


async def test_a_page_that_no_lab_knows_is_told_so_in_the_words_of_the_only_lab(
    server: Server,
) -> None:
    async with browser(server.port) as lost:
        await lost.tell(t="hello", v=VERSION, after="", ticket="of-nobody")
        assert (await lost.hears("bye"))["say"] == GERMAN["ticket"]


async def test_who_is_not_let_in_is_told_why_in_the_language_of_the_lab(
    server: Server, room: Room
) -> None:
    assert await room.members() == []
    async with page(server.port) as ann:
        await ann.until(lambda: bool(ann.notices["chat"]))
        [notice] = ann.notices["chat"]
        assert (notice["code"], notice["say"]) == ("not_member", GERMAN["not_member"])


async def test_the_element_has_the_words_of_its_lab_from_the_start(server: Server) -> None:
    async with httpx.AsyncClient(trust_env=False) as client:
        drawn = html.unescape((await client.get(f"http://127.0.0.1:{server.port}/")).text)
    [element] = re.findall(r"<labchat-room.*?>", drawn)
    assert 'lang="de"' in element and GERMAN["placeholder"] in element
    assert f'"you": "{GERMAN["you"]}"' in element and '"send": "Los"' in element
