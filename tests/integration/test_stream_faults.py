"""Streams while servers die or stand still, networks drop, and databases are held or gone."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from random import Random
from typing import Any

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.domain.commands import EndStream, Post
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import text_of
from shiny_labchat.errors import NOT_STORED, SENTENCES
from shiny_labchat.store.checkpoints import LEASE
from shiny_labchat.store.sqlite import BUSY_TIMEOUT
from tests.support.backend import FreshUrl
from tests.support.database import gone, held, is_held
from tests.support.page import page
from tests.support.proxy import Proxy
from tests.support.reconnecting_client import (
    ReconnectingClient,
    agree,
    log_of,
    reconnecting_client,
    reconnecting_clients,
    seed,
)
from tests.support.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.streams:app"]
RATE = 100
"""Chunks of a stream in a second, as the app says them."""
NOT_SHOWN = "is not stored, so nobody is shown it|the end of stream .* could not be stored"
"""What a server says of a stream, which may have come to its end meanwhile."""
WITHIN = LEASE / 1e6 + 30.0
"""How long the end of a stream is waited for whose server is gone or stands still, in seconds."""


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("streams", study="tests", rules=Rules(rate=None))


@pytest.fixture
def servers(lab: Lab) -> Iterator[list[Server]]:
    """Two servers of one database, of which the first runs."""
    both = [Server(APP, lab.url) for _ in range(2)]
    both[0].start()
    yield both
    for server in both:
        server.stop()


@pytest.fixture
def server(servers: list[Server]) -> Server:
    return servers[0]


@asynccontextmanager
async def speaker(server: Server, port: int | None = None) -> AsyncIterator[ReconnectingClient]:
    """A page with a session, whose words begin streams."""
    async with page(server.port) as opened:
        person = await ReconnectingClient(port or server.port, opened.ticket, Random(1)).open()
        try:
            await person.until(lambda: person.lines > 0)
            yield person
        finally:
            await person.leave()


def words(word: str, number: int) -> str:
    return "".join(f"{word}{n} " for n in range(number))


def streams(of: ReconnectingClient) -> list[str]:
    """The streams that a page shows, in order."""
    shown = of.items.values()
    return [text_of(item["parts"]) for item in shown if item["role"] == "assistant"]


async def begun(person: ReconnectingClient, *texts: str) -> None:
    """Wait until some stream shows each of these."""
    for text in texts:
        await person.until(lambda text=text: any(text in each for each in streams(person)))


async def ended(
    person: ReconnectingClient, number: int, how: str | None = None, *, within: float = WITHIN
) -> None:
    """Wait until so many streams have ended (in such a way)."""

    def ends() -> list[str]:
        return [
            item.get("is", "done")
            for item in person.items.values()
            if item["role"] == "assistant" and not item.get("live")
        ]

    wanted = how is not None
    await person.until(
        lambda: len([end for end in ends() if not wanted or end == how]) >= number, within=within
    )


async def endings(room: Room) -> list[Event]:
    """What the log has of ends of streams."""
    return [event for event in await log_of(room) if event.kind == "streamed"]


# ── a network that drops ──

NETWORKS = {"drops": {}, "odd pieces": {"pieces": 7}, "delays": {"pieces": 300, "delay": 0.005}}


@pytest.mark.parametrize("network", NETWORKS)
@pytest.mark.parametrize(
    ("number", "length", "life"),
    [
        pytest.param(4, 400, 3_000, id="4s"),
        pytest.param(8, 6_000, 20_000, id="60s", marks=pytest.mark.long),
    ],
)
async def test_who_drops_off_again_and_again_has_every_stream_to_the_letter(
    server: Server, room: Room, network: str, number: int, length: int, life: int
) -> None:
    """Who comes back is sent all of the open streams, so a line must live for about that long."""
    chosen = seed()
    async with (
        Proxy(server.port, seed=chosen, life=life, **NETWORKS[network]) as proxy,
        reconnecting_clients(number, proxy.port, room, chance=Random(chosen)) as people,
        speaker(server) as one,
    ):
        said = [("a", length), ("b", length // 2), ("c", length // 4)]
        for word, each in said:
            await one.says(f"speak {word} {each}")
        for n in range(10):
            await people[n % number].says(f"meanwhile {n}", within=300)
        await ended(one, len(said), within=WITHIN + length / RATE)
        proxy.life = None
        await agree([*people, one], room)
        for person in (*people, one):
            assert sorted(streams(person)) == [words(*each) for each in said]
        assert proxy.dropped > 3


async def test_who_comes_back_after_all_had_left_has_all_that_was_said_meanwhile(
    server: Server, room: Room
) -> None:
    """The server has read the room anew since, and knows of no stream in it."""
    async with Proxy(server.port) as proxy, reconnecting_client(proxy.port, room, "two") as two:
        async with speaker(server) as one:
            await one.says("speak a 200")
            await begun(two, "a5 ")
            proxy.switch_off()
        async with asyncio.timeout(WITHIN):
            while not await endings(room):
                pass
        assert two.endings and words("a", 200) not in streams(two)
        await proxy.switch_on()
        await two.until(lambda: not two.endings)
        assert streams(two) == [words("a", 200)] and two.resets == 0


# ── a server that is killed ──


@pytest.mark.parametrize(
    ("when", "number"), [("a20 ", 1), ("a450 ", 1), ("a450 ", 3)], ids=["at once", "later", "three"]
)
async def test_a_server_that_is_killed_leaves_all_pages_with_what_the_log_has(
    server: Server, room: Room, when: str, number: int
) -> None:
    async with reconnecting_clients(4, server.port, room, chance=Random(seed())) as people:
        async with speaker(server) as one:
            for word in "abc"[:number]:
                await one.says(f"speak {word} 3000")
            for person in (*people, one):
                await begun(person, *(f"{word}{when[1:]}" for word in "abc"[:number]))
            server.kill()
            for person in people:  # they have read all that had been sent
                await person.until(lambda person=person: not person.is_on_line)
            shown = [max(each, key=len) for each in zip(*map(streams, people), strict=True)]
            server.start()
            for person in (*people, one):
                await ended(person, number, "interrupted")
            await agree([*people, one], room)
        kept = streams(people[0])
        async with reconnecting_client(server.port, room, "late") as late:
            assert streams(late) == kept
        ends = await endings(room)
        assert [event.data["is"] for event in ends] == ["interrupted"] * number
        for word, had, has in zip("abc", shown, kept, strict=False):
            assert words(word, 3000).startswith(has)
            assert has.startswith(had), "what anybody has seen is kept"


# ── a server that stands still ──


async def stand_still(server: Server) -> None:
    """Stop a server between two commits: in the middle of one it would hold the database."""
    server.signal(signal.SIGSTOP)
    while is_held(server.url):
        server.signal(signal.SIGCONT)
        await asyncio.to_thread(int)
        server.signal(signal.SIGSTOP)


async def test_who_was_taken_for_dead_goes_on_and_both_servers_show_all_of_it(
    servers: list[Server], room: Room
) -> None:
    one_server, two_server = servers
    two_server.start()
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(speaker(one_server))
        here = await stack.enter_async_context(reconnecting_client(one_server.port, room, "here"))
        proxy = await stack.enter_async_context(Proxy(two_server.port))
        away = await stack.enter_async_context(reconnecting_client(proxy.port, room, "away"))
        there = await stack.enter_async_context(reconnecting_client(two_server.port, room, "there"))
        await one.says("speak a 1200")
        for person in (there, away):
            await begun(person, "a0 ")
        proxy.switch_off()
        await stand_still(one_server)
        try:
            await ended(there, 1, "interrupted")
            said = streams(there)[0]
            assert words("a", 1200).startswith(said)
            async with reconnecting_client(two_server.port, room, "meanwhile") as meanwhile:
                assert streams(meanwhile) == [said]
                assert list(meanwhile.endings.values()) == ["interrupted"]
        finally:
            one_server.signal(signal.SIGCONT)
        async with reconnecting_client(one_server.port, room, "late") as late:
            for person in (one, here, there, late):
                await person.until(lambda person=person: not person.endings, within=WITHIN)
                assert streams(person) == [words("a", 1200)]
            await proxy.switch_on()
            await agree([one, here, there, away, late], room)
            assert one.ended == here.ended == ["done"], "where it runs it was never in doubt"
            assert there.ended == away.ended == ["interrupted", "done"]
        for server in servers:
            async with reconnecting_client(server.port, room, f"after-{server.port}") as after:
                assert streams(after) == [words("a", 1200)] and not after.endings
    assert [event.data["is"] for event in await endings(room)] == ["interrupted", "done"]


async def test_what_has_truly_ended_is_not_taken_for_dead_afterwards(room: Room) -> None:
    """Both ends may have waited for a locked database, in two processes."""
    opening = (await room.submit(Post([], "assistant", is_live=True))).events[0]
    whole = EndStream(opening.seq, [("markdown", "all of it")], "done")
    await room.submit(whole)
    late = await room.submit(EndStream(opening.seq, [("markdown", "all")], "interrupted"))
    assert late.is_repeat and late.events[0].data["is"] == "done"
    assert [event.data["is"] for event in await endings(room)] == ["done"]


# ── a database that is held, or gone ──


@pytest.mark.parametrize(("trouble", "code"), [(held, "store_busy"), (gone, "store_gone")])
async def test_a_stream_outlives_its_database(
    server: Server, room: Room, trouble: Callable[..., Any], code: str
) -> None:
    """People are shown nothing that is not stored, are told why, and are shown all of it later."""
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(speaker(server))
        people = await stack.enter_async_context(
            reconnecting_clients(3, server.port, room, chance=Random(seed()))
        )
        await one.says("speak a 300")
        await one.says("speak b 900")
        await begun(people[0], "a10 ", "b10 ")
        with trouble(server.url):
            cids = [await person.say("is it stored?") for person in people]
            for person, cid in zip(people, cids, strict=True):
                await person.until(lambda person=person, cid=cid: cid in person.refused)
                assert person.refused[cid]["code"] == code
                assert person.refused[cid]["say"] == f"{NOT_STORED} {SENTENCES[code]}"
            shown = list(map(streams, (*people, one)))
            await asyncio.to_thread(
                *(server.logs, NOT_SHOWN), since=len(server.log), within=8 * BUSY_TIMEOUT
            )
            for person, before in zip((*people, one), shown, strict=True):
                assert streams(person) == before
                assert all("live" in person.items[id] for id in person.endings)
        for person in (*people, one):
            await ended(person, 2)
            assert streams(person) == [words("a", 300), words("b", 900)]
        await people[0].says("and now?", within=2 * BUSY_TIMEOUT)
        await agree([*people, one], room)
        assert all(person.lines == 1 for person in people)
    assert [event.data["is"] for event in await endings(room)] == ["done", "done"]
