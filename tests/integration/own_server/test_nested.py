"""Streams inside streams: each goes into its own chat's room, and into its own session's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from tests.support.client import Browser, browser
from tests.support.page import page
from tests.support.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.nested:app"]
CHATS = ("left", "right", "same")


@pytest.fixture
async def left(lab: Lab) -> Room:
    return await lab.create_room("left", study="tests", rules=Rules(rate=None))


@pytest.fixture
async def right(lab: Lab) -> Room:
    return await lab.create_room("right", study="tests", rules=Rules(rate=None))


@asynccontextmanager
async def person(server: Server) -> AsyncIterator[tuple[Browser, Browser]]:
    """A page's sockets in the rooms of its left and its right chat."""
    async with (
        page(server.port, chats=CHATS) as opened,
        browser(server.port) as left,
        browser(server.port) as right,
    ):
        await left.hello(ticket=await opened.ticket("left"))
        await right.hello(ticket=await opened.ticket("right"))
        yield left, right


@asynccontextmanager
async def boss(server: Server, room: Room) -> AsyncIterator[Browser]:
    await room.add_member("boss", role="experimenter")
    async with browser(server.port) as socket:
        await socket.hello(ticket=await ticket(room.log, room.key, "boss", "page-of-boss"))
        yield socket


async def contents(room: Room) -> list[str]:
    return [message.content for message in await room.messages() if message.member is None]


def live(of: Browser) -> list[str]:
    return [id for id, item in of.items.items() if item.get("live")]


async def test_a_stream_inside_another_chats_is_its_own(
    server: Server, left: Room, right: Room
) -> None:
    async with person(server) as (here, there):
        await here.says("nested")
        await here.sees("left left again and again", "another chat")
        await there.sees("right ")
    assert await contents(left) == ["left left again and again", "another chat"]
    assert await contents(right) == ["right "]


async def test_a_stream_inside_another_sessions_is_its_own(
    server: Server, left: Room, right: Room
) -> None:
    async with person(server) as (ann, ann_right), person(server) as (bob, bob_right):
        await ann.says("everybody")
        await bob.until(lambda: "a stream of its own" in bob.texts)
        await bob_right.until(lambda: len(bob_right.items) == 2)
        await ann_right.until(lambda: len(ann_right.items) == 2)
        await bob_right.says("go")
        for each in (ann, bob):
            await each.until(lambda each=each: "mine" in each.texts and not live(each))
    assert sorted(await contents(left)) == ["a stream of its own", "mine"]
    secrets = await contents(right)
    assert len({*secrets}) == 2 and all(each.startswith("secret of ") for each in secrets)


async def test_a_stream_inside_its_own_chats_goes_into_that(server: Server, left: Room) -> None:
    async with person(server) as (here, there):
        await here.says("in a stream")
        await here.sees("in a stream", "inside, and after")
        await there.says("go")
        await here.until(lambda: not live(here))
        assert "inside, and after" in here.texts
    assert await contents(left) == ["inside, and after"]


@pytest.mark.parametrize("who", ["asker", "experimenter"])
async def test_who_asked_can_stop_what_is_said_by_hand(
    server: Server, left: Room, who: str
) -> None:
    async with person(server) as (ann, ann_right), person(server) as (bob, _):
        async with boss(server, left) as experimenter:
            await ann.says("by hand")
            await ann.sees("by hand", "before")
            (id,) = live(ann)
            you = ann.welcome["you"]["h"]
            assert ann.items[id]["by"] == you, "that shows the button"
            await bob.tell(t="stop", id=id)
            await bob.settles()
            await ann.settles()
            assert live(ann) == [id], "not everybody may stop it"
            stopper = ann if who == "asker" else experimenter
            await stopper.tell(t="stop", id=id)
            await ann.until(lambda: not live(ann))
            assert ann.items[id]["is"] == "stopped"
            await ann_right.says("go")
            await ann.sees("before", "the code went on")
    assert await contents(left) == ["before", "the code went on"]
