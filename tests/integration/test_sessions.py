"""Shiny sessions that end in the middle of something, and what each chat of a page hears."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from random import Random

import httpx
import pytest

from shiny_labchat import Lab, Room
from tests.support.backend import Databases
from tests.support.client import Browser, browser
from tests.support.database import held
from tests.support.page import Page, page
from tests.support.reconnecting_client import seed
from tests.support.server import Server

BOTH = ("left", "right")


@pytest.fixture(scope="module")
def chats_lab(databases: Databases) -> Iterator[Lab]:
    lab = Lab(databases.make())
    yield lab
    lab.log.close()


@pytest.fixture(scope="module")
def chats(chats_lab: Lab) -> Iterator[Server]:
    """A server whose pages have two chats, both in the room `shared`."""
    server = Server(["-m", "uvicorn", "tests.integration.apps.sessions:app"], chats_lab.url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def shared(chats_lab: Lab) -> Room:
    return await chats_lab.create_room("page", study="tests")


@asynccontextmanager
async def admitted(server: Server, chat: str = "left") -> AsyncIterator[tuple[Page, Browser]]:
    """A page, and the socket of one of its chats; neither is closed here."""
    async with page(server.port, chats=BOTH, outputs=("said", "state")) as opened:
        async with browser(server.port) as socket:
            await socket.hello(ticket=await opened.ticket(chat))
            yield opened, socket


async def nobody_has_a_room_open(server: Server) -> None:
    """Wait until no live room of the server has a user."""
    users: dict[str, int] = {}
    try:
        async with asyncio.timeout(20), httpx.AsyncClient() as client:
            while True:
                answer = await client.get(f"http://127.0.0.1:{server.port}/users")
                users = answer.json()
                if not users:
                    return
    except TimeoutError:
        raise AssertionError(f"rooms that are held for ever: {users}") from None


async def no_ended_session_is_kept(server: Server) -> None:
    """Wait until no session of the server is in memory that has ended."""
    async with asyncio.timeout(60), httpx.AsyncClient(timeout=60) as client:
        while (await client.get(f"http://127.0.0.1:{server.port}/kept")).json():
            pass


async def room_says(room: Room, *texts: str) -> list[str]:
    """Wait until these were said; gives all that was."""
    try:
        async with asyncio.timeout(20):
            while True:
                said = [message.content for message in await room.messages()]
                if set(texts) <= set(said):
                    return said
    except TimeoutError:
        raise AssertionError(f"{texts} are not among {said}") from None


def has_failed(server: Server, since: int) -> list[str]:
    return [line for line in server.log[since:] if "Traceback" in line or "Error" in line]


# ── sessions that end ──


async def test_a_session_may_end_at_any_moment_of_its_admission(
    chats: Server, shared: Room
) -> None:
    """Nothing is held for it afterwards, and nothing of it fails."""
    chance = Random(seed())
    since = len(chats.log)

    async def come_and_go(frames: int) -> None:
        async with page(chats.port, chats=BOTH, outputs=("said", "state")) as opened:
            for _ in range(frames):
                await opened.socket.recv()
            opened.socket.transport.abort()

    for _ in range(5):
        async with asyncio.TaskGroup() as coming:
            for _ in range(6):
                coming.create_task(come_and_go(chance.randint(0, 6)))
    await nobody_has_a_room_open(chats)
    async with admitted(chats) as (_, ann):
        await ann.says("still here")
    await nobody_has_a_room_open(chats)
    assert has_failed(chats, since) == []


async def test_a_session_that_has_ended_does_not_stay_in_memory(
    chats: Server, shared: Room
) -> None:
    """Neither with the room that it has opened, nor with what runs for as long as the server."""
    async with admitted(chats) as (_, ann):
        await ann.says("hello")
    await no_ended_session_is_kept(chats)
    async with admitted(chats) as (_, bob):  # all had left the room
        await bob.says("hello")
    await no_ended_session_is_kept(chats)


async def test_a_session_may_end_while_its_admission_waits_for_the_database(
    chats: Server, chats_lab: Lab, shared: Room
) -> None:
    since = len(chats.log)
    with held(chats_lab.url):
        for _ in range(5):
            async with page(chats.port, chats=BOTH) as opened:
                await opened.socket.recv()
                await opened.socket.recv()
                assert not any(opened.notices.values())
    async with admitted(chats) as (_, ann):  # the writer has done by now what they had asked for
        await ann.says("here")
    await nobody_has_a_room_open(chats)
    assert has_failed(chats, since) == []


@pytest.mark.parametrize("waits", [True, False], ids=["stored", "on its way"])
@pytest.mark.parametrize("page_first", [True, False], ids=["page", "socket"])
async def test_what_was_sent_just_before_its_page_closed_is_still_handled(
    chats: Server, shared: Room, waits: bool, page_first: bool
) -> None:
    """Whichever of its two sockets closes first, and whether or not it was acknowledged."""
    since, case = len(chats.log), f"{waits} {page_first}"
    for n in range(5):
        async with admitted(chats) as (opened, ann):
            await (ann.says if waits else ann.send)(f"bye {case} {n}")
            first, second = (opened.socket, ann.socket)[:: 1 if page_first else -1]
            await first.close()
            await second.close()
    await room_says(shared, *(f"bye {case} {n}" for n in range(5)))
    await nobody_has_a_room_open(chats)
    said = [message.content for message in await shared.messages()]
    assert [said.count(f"left heard bye {case} {n}") for n in range(5)] == [1] * 5
    assert has_failed(chats, since) == []


# ── what the chats of a page hear ──


async def test_two_chats_of_a_page_in_one_room_each_handle_their_own_messages_once(
    chats: Server, shared: Room
) -> None:
    before = len(await shared.messages())
    async with (
        page(chats.port, chats=BOTH) as opened,
        browser(chats.port) as left,
        browser(chats.port) as right,
        admitted(chats, "right") as (_, bob),
    ):
        await left.hello(ticket=await opened.ticket("left"))
        await right.hello(ticket=await opened.ticket("right"))
        for n in range(3):
            await left.says(f"l{n}")
            await right.says(f"r{n}")
        await bob.says("b")
        last = ("left heard l2", "right heard r2", "right heard b")
        await room_says(shared, *last)
    await nobody_has_a_room_open(chats)  # so all handlers have run
    said = [message.content for message in (await shared.messages())[before:]]
    heard = [text for text in said if "heard" in text]
    expected = [f"{side} heard {side[0]}{n}" for n in range(3) for side in BOTH]
    assert sorted(heard) == sorted([*expected, "right heard b"])


async def test_a_page_whose_person_was_removed_reads_nothing_any_more(
    chats: Server, chats_lab: Lab, shared: Room
) -> None:
    async with admitted(chats) as (ann, socket), admitted(chats) as (bob, other):
        await other.says("secret of old")
        for each in (ann, bob):
            await each.until(lambda each=each: "secret of old" in str(each.values.get("said")))
        await socket.says("I am ann")
        me = next(m.member for m in await shared.messages() if m.content == "I am ann")
        assert me is not None
        await shared.remove_member(me)
        assert await socket.is_sent_away() == ("removed", 4403)
        await ann.until(lambda: ann.values["state"] == "removed" and not ann.values["said"])
        await other.says("not for ann")
        await bob.until(lambda: "not for ann" in bob.values["said"])
        await other.says("nor this")
        await bob.until(lambda: "nor this" in bob.values["said"])
        assert not ann.values["said"]
