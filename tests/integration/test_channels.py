"""Frames over Shiny's connection: all is as with a websocket, and neither holds the other up."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.gateway.multiplexing import CHANNELS_EACH
from tests.support.backend import Databases
from tests.support.channel import INPUT, Channel, written
from tests.support.client import Browser, browser
from tests.support.page import Page, page
from tests.support.proxy import Proxy
from tests.support.reconnecting_client import (
    ReconnectingClient,
    agree,
    reconnecting_clients,
    seed,
)
from tests.support.server import Server, shiny_run

from .conftest import Come

APP = Path(__file__).parent / "apps" / "busy.py"


async def talk(people: list[ReconnectingClient], each: int) -> None:
    """Everybody says so much, one thing after the other."""

    async def speak(k: int) -> None:
        for n in range(each):
            await people[k].says(f"{k}: {n}", within=300)

    async with asyncio.TaskGroup() as speaking:
        for k in range(len(people)):
            speaking.create_task(speak(k))


async def test_all_see_all_in_one_order_whatever_their_frames_go_over(come: Come) -> None:
    async with come("ann") as ann, come("bob", over="channel") as bob:
        for n in range(20):
            await asyncio.gather(ann.send(f"ann {n}"), bob.send(f"bob {n}"))
        for each in (ann, bob):
            await each.until(lambda each=each: len(each.items) == 40)
        assert list(ann.items) == list(bob.items)
        assert ann.texts == bob.texts
        assert [text for text in bob.texts if text.startswith("bob")] == [
            f"bob {n}" for n in range(20)
        ]


async def test_who_was_away_gets_exactly_what_they_missed(come: Come, room: Room) -> None:
    async with come("ann") as ann:
        async with come("bob", over="channel") as bob:
            await ann.says("before")
            await bob.sees("before")
            resume, after = bob.welcome["resume"], bob.upto
        await ann.says("meanwhile")
        async with browser(ann_port(ann), over="channel") as again:
            await again.hello(resume=resume, after=after)
            await again.sees("meanwhile")
            assert again.texts == ["meanwhile"]


def ann_port(someone: Browser) -> int:
    return someone.socket.transport.get_extra_info("peername")[1]


async def test_a_bad_network_loses_and_doubles_nothing(server: Server, room: Room) -> None:
    chosen = seed()
    network = {"life": 8_000, "pieces": 300, "delay": 0.005}
    chance = Random(chosen)
    async with (
        Proxy(server.port, seed=chosen, **network) as proxy,
        reconnecting_clients(4, proxy.port, room, chance=chance, over="channel") as people,
        reconnecting_clients(2, proxy.port, room, chance=chance, name="own") as others,
    ):
        await talk([*people, *others], 12)
        proxy.life = None
        assert len(await agree([*people, *others], room)) == 6 * 12
        assert proxy.dropped > 3


async def test_its_person_is_gone_when_a_channel_is_closed(come: Come) -> None:
    async with come("ann") as ann, come("bob", over="channel") as bob:
        await ann.until(lambda: len(here(ann)) == 2)
        await bob.socket.close()
        await ann.until(lambda: len(here(ann)) == 1)


def here(someone: Browser) -> list[Any]:
    found = [frame for frame in someone.frames if frame["t"] == "presence"]
    return found[-1]["who"] if found else []


# ── what a page may send ──

ODD = [
    None, 0, "", [], {}, {"has": -1}, {"has": True}, {"has": 10**30}, {"has": "1"}, {"open": "/"},
    {"channel": 1, "open": "/labchat/ws"}, {"channel": "x" * 41, "open": "/labchat/ws"},
    {"channel": "a", "open": "/"}, {"channel": "a", "open": "/websocket/"},
    {"channel": "a", "text": "no such channel"}, {"channel": "a", "close": 1000},
    {"channel": "a", "text": 1}, {"channel": "a"},
]  # fmt: skip


async def test_whatever_a_page_says_of_channels_its_others_go_on(come: Come) -> None:
    async with come("ann", over="channel") as ann:
        assert isinstance(ann.socket, Channel)
        for odd in ODD:
            await ann.socket.say(odd)
        cut_short = written({"channel": "a"})[:-5]
        await ann.socket.socket.send(cut_short)
        await ann.socket.socket.send(written(0)[:-1] + "[" * 5_000)
        await ann.says("still here")
        assert ann.socket.others == [{"config": ann.socket.others[0]["config"]}]


async def test_a_frame_on_a_channel_is_as_suspicious_as_any(come: Come) -> None:
    async with come("ann", over="channel") as ann:
        await ann.socket.send("no JSON")
        assert await ann.is_sent_away() == ("bad_frame", 4400)


async def test_a_page_can_open_only_so_many_and_flood_only_its_own(
    server: Server, come: Come
) -> None:
    process = psutil.Process(server.pid)
    async with come("ann", over="channel") as ann, come("bob", over="channel") as bob:
        assert isinstance(ann.socket, Channel)
        held = process.memory_info().rss
        for n in range(2 * CHANNELS_EACH):
            await ann.socket.say({"channel": f"c{n}", "open": "/labchat/ws"})
        for n in range(2 * CHANNELS_EACH):
            await ann.socket.say({"channel": f"c{n}", "text": "x" * 1_000_000})
        await ann.says("still here")
        await bob.sees("still here")
        assert process.memory_info().rss - held < 100_000_000


# ── Shiny ──


@pytest.fixture(scope="module")
def busy_url(databases: Databases) -> str:
    return databases.make()


@pytest.fixture(scope="module")
def busy(busy_url: str) -> Iterator[Server]:
    server = Server(shiny_run(APP), busy_url)
    server.start()
    yield server
    server.stop()


@pytest.fixture
async def busy_room(busy: Server, busy_url: str) -> AsyncIterator[Room]:
    lab = Lab(busy_url)
    async with page(busy.port) as first:
        await first.ticket()  # the database is there
    room = await lab.create_room(
        f"busy-{time.time_ns()}", study="tests", rules=Rules(rate=None, max_length=20_000)
    )
    yield room
    lab.log.close()


async def enters(room: Room, member: str, opened: Page) -> Browser:
    """Somebody whose frames go over the connection of their page's session."""
    await room.add_member(member)
    channel = Channel(opened.socket)
    await channel.open("/labchat/ws")
    someone = Browser(channel)
    await someone.hello(ticket=await ticket(room.log, room.key, member, f"page-of-{member}"))
    return someone


async def test_nobody_on_a_channel_waits_while_a_session_keeps_shiny_busy(
    busy: Server, busy_room: Room
) -> None:
    async with (
        page(busy.port, outputs=["heard"]) as keeper,
        page(busy.port) as first,
        page(busy.port) as second,
    ):
        ann, bob = await enters(busy_room, "ann", first), await enters(busy_room, "bob", second)
        await keeper.until(lambda: "heard" in keeper.values)
        await keeper.update(keep=8)
        await keeper.until(lambda: keeper.values["heard"] == "busy")
        start = time.perf_counter()
        for n in range(20):
            await ann.says(f"{n}")
            await bob.sees(f"{n}")
            await first.update(moved=n)  # which waits for Shiny
        assert time.perf_counter() - start < 5
        await keeper.update(tell="free")
        await keeper.until(lambda: keeper.values["heard"] == "free")
        assert time.perf_counter() - start > 5


async def test_what_goes_over_a_channel_makes_shiny_send_nothing(
    busy: Server, busy_room: Room
) -> None:
    async with page(busy.port) as first, page(busy.port) as second:
        ann = await enters(busy_room, "ann", first)
        bob = await enters(busy_room, "bob", second)
        for someone in (ann, bob):
            await someone.settles()
        counts = [len(channel_of(each).others) for each in (ann, bob)]
        for n in range(30):
            await ann.says(f"{n}")
        await bob.sees("29")
        assert [len(channel_of(each).others) for each in (ann, bob)] == counts


def channel_of(someone: Browser) -> Channel:
    assert isinstance(someone.socket, Channel)
    return someone.socket


async def test_a_browser_that_reads_nothing_holds_up_neither_the_room_nor_shiny(
    busy: Server, busy_room: Room
) -> None:
    options: dict[str, Any] = {"max_queue": 1, "ping_interval": None}
    async with (
        Proxy(busy.port) as proxy,
        page(busy.port, outputs=["heard"]) as teller,
        page(proxy.port, outputs=["heard"], **options) as slow,
        reconnecting_clients(1, busy.port, busy_room, chance=Random(1)) as people,
    ):
        sloth = await enters(busy_room, "sloth", slow)
        await teller.until(lambda: "heard" in teller.values)
        proxy.stall("down")
        await asyncio.gather(*(busy_room.post("x" * 20_000) for _ in range(100)))
        await people[0].says("so much")
        await agree(people, busy_room)
        for n in range(3):
            start = time.perf_counter()
            await teller.update(tell=f"told {n}")
            await teller.until(lambda n=n: teller.values["heard"] == f"told {n}")
            assert time.perf_counter() - start < 3
        assert len(sloth.items) == 0
        proxy.flow("down")
        await sloth.sees("so much")
        assert len(sloth.items) == 100 + 1
        await sloth.says("here I am")
        assert any(frame.get("values") == {"heard": "told 2"} for frame in channel_of(sloth).others)
        assert INPUT not in str(channel_of(sloth).others)
