"""A network that drops, tears, delays, stalls and goes away: nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
from random import Random

import pytest

from shiny_labchat import Room
from shiny_labchat.live.room import MAX_MISSED_EVENTS
from shiny_labchat.live.window import PAGE
from tests.support.proxy import Proxy
from tests.support.reconnecting_client import (
    ReconnectingClient,
    agree,
    reconnecting_client,
    reconnecting_clients,
    seed,
    ticks,
)
from tests.support.server import Server


async def talk(people: list[ReconnectingClient], each: int) -> None:
    """Everybody says so much, one thing after the other."""

    async def speak(k: int) -> None:
        for n in range(each):
            await people[k].says(f"{k}: {n}", within=300)

    async with asyncio.TaskGroup() as speaking:
        for k in range(len(people)):
            speaking.create_task(speak(k))


NETWORKS = {
    "drops": {"life": 5_000},
    "odd pieces": {"pieces": 7},
    "delays": {"delay": 0.02},
    "all of it": {"life": 5_000, "pieces": 300, "delay": 0.005},
}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("number", "each"),
    [pytest.param(8, 12, id="96"), pytest.param(20, 100, id="2000", marks=pytest.mark.long)],
)
async def test_a_bad_network_loses_and_doubles_nothing(
    server: Server, room: Room, network: str, number: int, each: int
) -> None:
    chosen = seed()
    async with (
        Proxy(server.port, seed=chosen, **NETWORKS[network]) as proxy,
        reconnecting_clients(number, proxy.port, room, chance=Random(chosen)) as people,
    ):
        await talk(people, each)
        proxy.life = None
        messages = await agree(people, room)
        assert len(messages) == number * each
        assert not any(p.refused for p in people)
        assert "life" not in NETWORKS[network] or proxy.dropped > 3


async def test_what_is_said_while_the_network_is_down_comes_to_all_afterwards(
    server: Server, room: Room
) -> None:
    chosen = seed()
    async with (
        Proxy(server.port, seed=chosen) as proxy,
        reconnecting_clients(3, proxy.port, room, chance=Random(chosen)) as away,
        reconnecting_clients(
            2, server.port, room, chance=Random(chosen + 1), name="there"
        ) as there,
    ):
        await talk([*away, *there], 3)
        proxy.switch_off()
        for n, person in enumerate(away):
            await person.say(f"{n}: anybody there?")
        await talk(there, 10)
        assert all(len(p.outbox) == 1 for p in away)
        await proxy.switch_on()
        messages = await agree([*away, *there], room)
        assert len(messages) == 5 * 3 + 3 + 20
        assert all(p.lines == 2 for p in away) and all(p.lines == 1 for p in there)


async def test_a_line_that_died_silently_is_noticed_and_left(server: Server, room: Room) -> None:
    """Neither side hears of its end; who asks whether the server is there finds out."""
    chosen = seed()
    async with (
        Proxy(server.port, seed=chosen) as proxy,
        reconnecting_clients(
            3, proxy.port, room, chance=Random(chosen), ping_every=0.2, pong_within=0.5
        ) as people,
    ):
        await talk(people, 2)
        proxy.switch_off(silently=True)
        for n, person in enumerate(people):
            await person.say(f"{n}: into the void")
        await room.post("unheard")
        await proxy.switch_on()
        assert len(await agree(people, room)) == 3 * 2 + 3 + 1
        assert all(p.lines >= 2 for p in people)


async def test_a_network_that_stalls_for_a_while_ends_no_line(server: Server, room: Room) -> None:
    chosen = seed()
    async with (
        Proxy(server.port, seed=chosen) as proxy,
        reconnecting_clients(3, proxy.port, room, chance=Random(chosen)) as people,
        reconnecting_client(server.port, room, "there") as there,
    ):
        for way in ("up", "down"):
            proxy.stall(way)
            for n, person in enumerate(people):
                await person.say(f"{n}: {way}")
            for n in range(10):
                await there.says(f"{way} {n}")
            assert all(p.outbox for p in people)
            proxy.flow(way)
            await agree([*people, there], room)
        assert all(p.lines == 1 for p in people)


# ── away for long ──


async def returns(room: Room, proxy: Proxy, person: ReconnectingClient, missed: int) -> None:
    """The network is away while so much is said; then the person is back."""
    proxy.switch_off()
    lines = person.lines
    for start in range(0, missed, 500):
        some = range(start, min(missed, start + 500))
        await asyncio.gather(*(room.post(f"{n}") for n in some))
    await proxy.switch_on()
    await person.until(lambda: person.lines > lines)
    await agree([person], room)


async def test_who_slept_gets_exactly_what_they_missed(server: Server, room: Room) -> None:
    async with (
        Proxy(server.port) as proxy,
        reconnecting_client(proxy.port, room, "ann") as ann,
    ):
        await ann.says("good night")
        await ann.until(lambda: ann.cursor == ann.stored[next(iter(ann.stored))])
        await returns(room, proxy, ann, MAX_MISSED_EVENTS)
        assert ann.resets == 0 and not ann.more
        assert len(ann.items) == MAX_MISSED_EVENTS + 1


async def test_who_slept_too_long_gets_the_newest_screen_and_the_rest_when_asked(
    server: Server, room: Room
) -> None:
    async with (
        Proxy(server.port) as proxy,
        reconnecting_client(proxy.port, room, "ann") as ann,
    ):
        await ann.says("good night")
        await ann.until(lambda: ann.cursor == ann.stored[next(iter(ann.stored))])
        await returns(room, proxy, ann, MAX_MISSED_EVENTS + 1)
        assert ann.resets == 1 and ann.more
        assert 0 < len(ann.items) <= PAGE
        await ann.scroll_back()
        assert len(ann.items) == MAX_MISSED_EVENTS + 2
        await agree([ann], room)


# ── a reader of 1 kB a second ──


@pytest.mark.parametrize(
    "seconds", [pytest.param(4, id="4s"), pytest.param(90, id="90s", marks=pytest.mark.long)]
)
async def test_who_reads_1_kb_a_second_gets_on_and_in_the_end_has_everything(
    server: Server, room: Room, seconds: int
) -> None:
    """Also where the server has to end their line as they answer no ping in time."""
    chosen = seed()
    async with (
        Proxy(server.port, seed=chosen, rate=1_000) as proxy,
        reconnecting_client(
            proxy.port, room, "slow", chance=Random(chosen), ping_every=None
        ) as slow,
        reconnecting_clients(5, server.port, room, chance=Random(chosen + 1)) as others,
    ):
        known: list[str] = []
        async for n in ticks(20, 20 * seconds):  # 6 kB a second, and fewer messages than LOST
            await others[n % 5].say(f"{n} " + "x" * 200)
            if n % (20 * max(2, seconds // 3)) == 0:
                known.append(slow.cursor)
        known.append(slow.cursor)
        assert len(set(known)) == len(known), f"it got nowhere: {known}"
        await agree(others, room)
        assert slow.cursor != others[0].cursor, "it was not slow at all"
        proxy.rate = None
        await agree([slow, *others], room)
        assert slow.resets == 0
