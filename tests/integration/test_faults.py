"""Servers that die, databases that others hold or exchange: nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.errors import NOT_STORED, SENTENCES
from shiny_labchat.protocol import VERSION
from shiny_labchat.store.sqlite import BUSY_TIMEOUT
from tests.contract import elsewhere
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.database import held
from tests.support.reconnecting_client import ReconnectingClient, agree, reconnecting_clients, seed
from tests.support.server import Server, shiny_run

from .conftest import APP


@pytest.fixture
def own_lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """A lab of the test's own, from this process."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
async def own_room(own_lab: Lab) -> Room:
    return await own_lab.create_room("r", study="s", rules=Rules(rate=None))


@pytest.fixture
def own_server(own_lab: Lab) -> Iterator[Server]:
    """A server that may be ended."""
    server = Server(shiny_run(APP), own_lab.url)
    server.start()
    yield server
    server.stop()


# ── a server that ends ──


class Mishaps:
    """
    Ends a server in the middle of a talk, at once when so much has been said; it comes again.

    Parameters
    ----------
    server
        The server.
    how
        The signal that ends it.
    when
        After how many messages, each.
    """

    def __init__(self, server: Server, how: signal.Signals, when: list[int]) -> None:
        self.number = 0
        self._server = server
        self._how = how
        self._when = when
        self._said = 0
        self._ending: asyncio.Task[None] | None = None

    async def say(self, person: ReconnectingClient, text: str) -> None:
        """Have somebody say something, and then perhaps nobody answers."""
        await person.say(text)
        self._said += 1
        if self._when and self._said >= self._when[0]:
            del self._when[0]
            await self.over()
            self.number += 1
            self._server.signal(self._how)
            self._ending = asyncio.create_task(self._begin_again())

    async def _begin_again(self) -> None:
        await asyncio.to_thread(self._server.stop)
        await asyncio.to_thread(self._server.start)

    async def over(self) -> None:
        """Wait until the server is there again."""
        if self._ending is not None:
            await self._ending


async def talk(
    people: list[ReconnectingClient], each: int, chance: Random, mishaps: Mishaps
) -> None:
    """Everybody says so much; up to four things at once, and then waits until they are stored."""

    async def speak(person: ReconnectingClient, k: int, chance: Random) -> None:
        n = 0
        while n < each:
            for _ in range(min(each - n, chance.randint(1, 4))):
                await mishaps.say(person, f"{k}: {n}")
                n += 1
            await person.until(lambda: not person.outbox, within=120)

    async with asyncio.TaskGroup() as speaking:
        for k, person in enumerate(people):
            speaking.create_task(speak(person, k, Random(chance.getrandbits(64))))


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
@pytest.mark.parametrize(
    ("each", "ends"),
    [pytest.param(15, 2, id="300"), pytest.param(100, 5, id="2000", marks=pytest.mark.long)],
)
async def test_what_was_acknowledged_outlives_the_server_and_is_there_once(
    own_server: Server, own_room: Room, how: signal.Signals, each: int, ends: int
) -> None:
    """Also what was said and not acknowledged is there in the end, and once."""
    chance = Random(seed())
    total = 20 * each
    when = [int(total * (k + chance.uniform(0.1, 0.5)) / ends) for k in range(ends)]
    mishaps = Mishaps(own_server, how, when)
    async with reconnecting_clients(20, own_server.port, own_room, chance=chance) as people:
        try:
            await talk(people, each, chance, mishaps)
        finally:
            await mishaps.over()
        for person in people:
            await person.until(lambda person=person: person.lines > 1)
        messages = await agree(people, own_room)
        assert len(messages) == total and mishaps.number == ends
        assert not any(p.refused or p.resets for p in people)


# ── a database that somebody else writes to ──


async def asks(person: Browser) -> float:
    """Check, and read an older page; gives how long the answers took, in seconds."""
    start = time.perf_counter()
    await person.tell(t="check")
    await person.tell(t="older", before=person.upto)
    await person.hears("older")
    return time.perf_counter() - start


async def test_a_commit_of_two_seconds_refuses_nobody_and_delays_no_reading(
    own_server: Server, own_lab: Lab, own_room: Room
) -> None:
    async with reconnecting_clients(5, own_server.port, own_room, chance=Random(seed())) as people:
        await own_room.add_member("reader")
        raw = await ticket(own_room.log, own_room.key, "reader", "page")
        async with browser(own_server.port) as reader:
            await reader.hello(ticket=raw)
            await people[0].says("before")
            await reader.sees("before")
            took: list[float] = []
            with held(own_lab.url):
                start = time.perf_counter()
                for n, person in enumerate(people):
                    await person.say(f"first of {n}")
                while time.perf_counter() < start + 2:
                    took.append(await asks(reader))
                    if len(took) % 100 == 0:
                        await people[len(took) // 100 % 5].say(f"{len(took)}")
                assert sum(len(p.stored) for p in people) == 1
            await people[0].says("after")
            messages = await agree(people, own_room)
            assert max(took) < 1 and len(took) > 10
            assert len(messages) >= 7 and not any(p.refused for p in people)
            assert all(p.lines == 1 for p in people)


async def test_a_lock_that_lasts_is_told_to_everybody_and_then_over(
    own_server: Server, own_lab: Lab, own_room: Room
) -> None:
    async with reconnecting_clients(2, own_server.port, own_room, chance=Random(seed())) as people:
        with held(own_lab.url):
            cids = [await person.say("during") for person in people]
            for person, cid in zip(people, cids, strict=True):
                await person.until(lambda person=person, cid=cid: cid in person.refused)
                assert person.refused[cid]["code"] == "store_busy"
                assert person.refused[cid]["say"] == f"{NOT_STORED} {SENTENCES['store_busy']}"
        for n, person in enumerate(people):
            await person.says(f"after {n}", within=2 * BUSY_TIMEOUT)
        messages = await agree(people, own_room)
        assert [e.data["parts"][0][1] for e in messages] == [f"after {n}" for n in range(2)]
        assert all(p.lines == 1 for p in people)


# ── a database that is exchanged ──


async def test_who_is_in_a_room_that_was_exchanged_is_told_to_come_back(
    own_server: Server, own_room: Room, sqlite_only: None
) -> None:
    """Into the room of the same name in the new file, with a new ticket, and from its beginning."""
    await own_room.add_member("ann")
    raw = await ticket(own_room.log, own_room.key, "ann", "page")
    async with browser(own_server.port) as ann:
        await ann.hello(ticket=raw)
        await ann.says("old")
        await ann.sees("old")
        path = Path(own_server.url.removeprefix("sqlite:///"))
        for file in path.parent.glob("lab.db*"):
            file.rename(file.with_name(f"old-{file.name}"))
        url = f"sqlite:///{path}"
        process = await asyncio.to_thread(elsewhere.start, elsewhere.post, url, "new")
        await asyncio.to_thread(elsewhere.said_by, process)
        bye = await ann.hears("bye")
        assert (bye["code"], bye["again"]) == ("store_gone", True) and bye["say"]
        await ann.ends()
        token, upto = ann.welcome["resume"], ann.upto
    async with browser(own_server.port) as again:
        await again.tell(t="hello", v=VERSION, resume=token, after=upto)
        assert await again.is_sent_away() == ("ticket", 4401)
    await own_room.add_member("ann")
    raw = await ticket(own_room.log, own_room.key, "ann", "page")
    async with browser(own_server.port) as fresh:
        await fresh.hello(ticket=raw)
        assert fresh.texts == ["new"]
        await fresh.says("newer")
        await fresh.sees("new", "newer")
