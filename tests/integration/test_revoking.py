"""Whoever is on a page by what was revoked is sent away at once, and hears nothing more."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.protocol import VERSION
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.page import Page, page
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "entered.py"
OUTPUTS = ("said", "me")


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
    return await lab.create_room("page", study="tests")


@asynccontextmanager
async def comes(
    server: Server, search: str = "", key: str | None = None
) -> AsyncIterator[tuple[Page, Browser]]:
    async with (
        page(server.port, search=search, key=key, outputs=OUTPUTS) as opened,
        browser(server.port) as socket,
    ):
        await socket.hello(ticket=await opened.ticket())
        yield opened, socket


async def is_refused(server: Server, search: str = "", key: str | None = None) -> None:
    async with page(server.port, search=search, key=key, outputs=OUTPUTS) as opened:
        await told(opened)
        await opened.until(lambda: opened.values.get("me") == "nobody")
        assert not opened.values.get("said")


async def told(opened: Page) -> None:
    await opened.until(lambda: bool(opened.notices["chat"]))
    refusal = opened.notices["chat"].pop(0)
    assert (refusal["do"], refusal["code"], refusal["again"]) == ("refuse", "revoked", False)
    assert "withdrawn" in refusal["say"]


async def test_a_link_that_is_revoked_ends_the_pages_that_came_by_it(
    server: Server, lab: Lab, room: Room
) -> None:
    link = f"?labchat={await lab.invite('ann')}"
    async with comes(server, link) as (opened, ann), comes(server, link) as (_, again):
        async with comes(server) as (_, bob):
            await ann.says("hello")
            await opened.until(lambda: opened.values.get("said") == "hello")
            assert await lab.revoke("ann", "links") == 1
            for each in (ann, again):
                assert await each.is_sent_away() == ("revoked", 4403)
            await told(opened)
            await bob.says("Is she gone?")
            await opened.until(lambda: opened.values["me"] == "nobody")
            assert "gone" not in opened.values["said"]
            await bob.sees("hello", "Is she gone?")
    async with browser(server.port) as back:
        await back.tell(t="hello", v=VERSION, resume=ann.welcome["resume"], after=ann.upto)
        assert await back.is_sent_away() == ("revoked", 4403)
    await is_refused(server, link)
    async with comes(server, f"?labchat={await lab.invite('ann')}") as (_, ann):
        assert ann.texts == ["hello", "Is she gone?"], "by a new link she is back"


async def test_a_browser_that_is_revoked_is_sent_away_and_is_nobody_else(
    server: Server, lab: Lab, room: Room
) -> None:
    key = "key-of-the-browser-of-ann"
    async with comes(server, key=key) as (opened, ann):
        (member,) = await room.members()
        await lab.revoke(member, "links")
        await ann.says("still here")
        assert await lab.revoke(member, "browsers") == 1
        assert await ann.is_sent_away() == ("revoked", 4403)
        await told(opened)
    await is_refused(server, key=key)
    assert await room.members() == [member]


async def test_who_is_named_by_the_app_stays(server: Server, lab: Lab, room: Room) -> None:
    await lab.invite("eva")
    async with comes(server, "?member=eva") as (_, eva):
        assert await lab.revoke("eva") == 1
        await eva.says("The app says that it is me.")


async def test_a_page_without_an_element_is_sent_away_too(
    server: Server, lab: Lab, room: Room
) -> None:
    link = f"?labchat={await lab.invite('ann')}"
    async with page(server.port, chats=(), search=link, outputs=OUTPUTS) as opened:
        await opened.until(lambda: opened.values.get("me") == "ann")
        await room.post("before")
        await opened.until(lambda: opened.values["said"] == "before")
        await lab.revoke("ann")
        await opened.until(lambda: opened.values["me"] == "nobody")
        await room.post("after")
        await opened.update(anything=1)
        assert "after" not in opened.values["said"]


async def test_a_page_that_was_away_meanwhile_does_not_come_back(
    server: Server, lab: Lab, room: Room
) -> None:
    link = f"?labchat={await lab.invite('ann')}"
    async with comes(server, link) as (_, ann):
        await ann.says("hello")
    server.kill()
    await lab.revoke("ann")
    server.start()
    async with browser(server.port) as back:
        await back.tell(t="hello", v=VERSION, resume=ann.welcome["resume"], after=ann.upto)
        assert await back.is_sent_away() == ("revoked", 4403)
    await is_refused(server, link)
