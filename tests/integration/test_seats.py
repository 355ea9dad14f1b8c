"""A page has its place in a room as soon as its script has made a Chat; apps read it from then."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import httpx
import pytest

from shiny_labchat import Lab
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.page import Page, page
from tests.support.server import Server

OUTPUTS = ("said", "who", "state")


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
def server(lab: Lab) -> Iterator[Server]:
    server = Server(["-m", "uvicorn", "tests.integration.apps.seats:app"], lab.url)
    server.start()
    yield server
    server.stop()


@asynccontextmanager
async def at(server: Server, name: str, *chats: str) -> AsyncIterator[Page]:
    path = f"/{name}/websocket/" if name else "/websocket/"
    async with page(server.port, path=path, chats=chats, outputs=OUTPUTS) as opened:
        yield opened


@asynccontextmanager
async def drawn(server: Server) -> AsyncIterator[tuple[Page, Browser]]:
    async with at(server, "", "chat") as opened, browser(server.port) as socket:
        await socket.hello(ticket=await opened.ticket())
        yield opened, socket


async def read(server: Server) -> dict[str, list[list[str]]]:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"http://127.0.0.1:{server.port}/read")).json()


async def shows(opened: Page, **values: str) -> None:
    await opened.until(lambda: values.items() <= opened.values.items())


async def test_a_chat_that_is_not_drawn_is_in_its_room_and_an_empty_room_is_empty(
    server: Server,
) -> None:
    async with at(server, "undrawn") as ann:
        await shows(ann, said="1: opened", who="1 in", state="open")
        async with at(server, "undrawn") as bob:
            await shows(bob, said="1: opened", who="2 in", state="open")
            await shows(ann, who="2 in")
            assert ann.notices == bob.notices == {}  # a ticket is for an element
    states = [state for state in (await read(server))["states"] if state is not None]
    assert set(states) == {"open"}


async def test_an_element_that_is_drawn_later_is_let_in_as_the_same_person(server: Server) -> None:
    async with at(server, "undrawn") as ann:
        await shows(ann, who="1 in")
        ticket = await ann.asks_again("chat")
        async with browser(server.port) as socket:
            await socket.hello(ticket=ticket)
            await socket.says("hello")
        await shows(ann, said="2: opened / hello", who="1 in")


async def test_where_there_is_no_room_there_is_nothing_to_read(server: Server) -> None:
    async with at(server, "roomless", "chat") as ann:
        await shows(ann, said="0: ", who="0 in", state="waiting")


async def test_the_rooms_first_messages_come_before_what_the_script_appends(
    server: Server,
) -> None:
    for _ in range(2):
        async with at(server, "firsts", "chat") as ann:
            await shows(ann, said="4: one / two / three / for me")


async def test_a_page_that_was_refused_is_let_in_when_its_person_becomes_a_member(
    server: Server, lab: Lab
) -> None:
    room = await lab.create_room("invited", study="tests")
    async with at(server, "invited", "chat") as ann:
        await ann.until(lambda: bool(ann.notices["chat"]))
        assert ann.notices["chat"].pop()["code"] == "not_member"
        await shows(ann, said="0: ")
        await room.add_member("p16")
        await room.add_member("p17")
        await room.post("welcome")
        async with browser(server.port) as socket:
            await socket.hello(ticket=await ann.ticket())
            await socket.sees("welcome")
            await shows(ann, said="1: welcome", who="2 in", state="open")
            await room.remove_member("p17")
            await shows(ann, state="removed")
    async with at(server, "invited", "chat") as ann:
        await ann.until(lambda: bool(ann.notices["chat"]))
        assert ann.notices["chat"].pop()["code"] == "removed"
        await room.add_member("p17")
        await ann.ticket()


async def test_a_handler_reads_what_it_has_appended_and_not_what_others_say_meanwhile(
    server: Server, lab: Lab
) -> None:
    room = await lab.create_room("handling", study="tests")
    await room.add_member("another", pseudonym="Another")
    async with drawn(server) as (opened, ann):
        await ann.says("one append others append")
        await opened.until(lambda: str(opened.values["said"]).startswith("4: "))
        await ann.says("two")
        await opened.until(lambda: str(opened.values["said"]).startswith("5: "))
    first = ["one append others append", "appended", "appended"]
    second = ["one append others append", "appended", "another's", "appended", "two"]
    assert (await read(server))["heard"] == [first, second]


async def test_what_a_person_has_cleared_is_read_neither_by_the_app_nor_by_its_model(
    server: Server, lab: Lab
) -> None:
    async with drawn(server) as (opened, ann), drawn(server) as (_, bob):
        await ann.says("one")
        await ann.says("clear append")
        await shows(opened, said="1: appended")
        await ann.says("three")
        await shows(opened, said="2: appended / three")
        await bob.says("bob's")
        await shows(opened, said="3: appended / three / bob's")
    known = await read(server)
    assert known["heard"] == [
        ["one"],
        ["appended"],
        ["appended", "three"],
        ["one", "clear append", "appended", "three", "bob's"],
    ]
    assert known["told"][:3] == [[], [], ["appended"]]
    room = lab.room("handling", study="tests")
    assert len(await room.messages()) == 5


async def frames_of(opened: Page, seconds: float) -> int:
    """The number of frames that a page's Shiny session is sent in a time."""
    number = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                await opened.socket.recv()
                number += 1
    except TimeoutError:
        return number


async def test_the_sessions_of_others_are_sent_nothing_however_much_is_said(
    server: Server,
) -> None:
    texts = [f"text {n}" for n in range(50)]
    async with AsyncExitStack() as stack:
        pages = [await stack.enter_async_context(at(server, "quiet", "chat")) for _ in range(100)]
        ann, *others = pages
        ticket = await ann.ticket()
        await asyncio.gather(*(each.ticket() for each in others))
        while any(await asyncio.gather(*(frames_of(each, 1.0) for each in others))):
            pass  # until all have their places
        async with browser(server.port) as socket:
            await socket.hello(ticket=ticket)
            quiet = asyncio.gather(*(frames_of(each, 15.0) for each in others))
            for text in texts:
                await socket.says(text)
            await shows(ann, said=texts[-1])
            assert await quiet == [0] * 99
    assert (await read(server))["sent"] == texts
