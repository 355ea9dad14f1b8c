"""A server's clock is set, forward and back, while people talk: order is `seq`, never time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.protocol import VERSION
from tests.support.backend import Databases
from tests.support.client import Browser, browser
from tests.support.clock import Clock
from tests.support.page import page
from tests.support.server import Server

from .conftest import APP, log_of

HOUR = 3_600.0
DAY = 24 * HOUR


@pytest.fixture(scope="module")
def wrong_lab(databases: Databases) -> Iterator[Lab]:
    lab = Lab(databases.make())
    yield lab
    lab.log.close()


@pytest.fixture(scope="module")
def clock(wrong_lab: Lab) -> Clock:
    return Clock(wrong_lab.url)


@pytest.fixture(scope="module")
def wrong_server(wrong_lab: Lab, clock: Clock) -> Iterator[Server]:
    """A server whose clock can be set."""
    server = Server(clock.command(APP), wrong_lab.url)
    server.start()
    yield server
    server.stop()


SetClock = Callable[[float], None]


@pytest.fixture
def set_clock(clock: Clock) -> Iterator[SetClock]:
    """``set_clock(-3600)``: the server's clock is an hour slow from now on."""
    yield clock.is_off_by
    clock.is_off_by(0)


@asynccontextmanager
async def three(server: Server, room: Room) -> AsyncIterator[list[Browser]]:
    """Three people in a room."""
    async with AsyncExitStack() as stack:
        people: list[Browser] = []
        for member in ("ann", "bob", "carl"):
            await room.add_member(member)
            raw = await ticket(room.log, room.key, member, f"page-of-{member}")
            people.append(await stack.enter_async_context(browser(server.port)))
            await people[-1].hello(ticket=raw)
        yield people


async def test_order_is_seq_whatever_the_clock_says(
    wrong_server: Server, wrong_lab: Lab, set_clock: SetClock, sqlite_only: None
) -> None:
    """And nobody is refused or sent away, and the room stays open, with the usual limits."""
    room = await wrong_lab.create_room("jumps", study="tests")
    said: list[str] = []
    async with three(wrong_server, room) as people:
        for n, offset in enumerate((0, -HOUR, 25 * HOUR, -25 * HOUR, 0)):
            set_clock(offset)
            for k, person in enumerate(people):
                said.append(f"{n} {k}")
                await person.says(said[-1])
        for person in people:
            await person.sees(*said)
            await person.settles()
            assert not any(frame["t"] in ("refused", "bye", "state") for frame in person.frames)
        async with three(wrong_server, room) as late:
            assert all(person.texts == said for person in late)
    log = await log_of(room)
    assert [event.seq for event in log] == list(range(1, len(log) + 1))
    spoken = [event.at for event in log if event.kind == "message"]
    assert spoken != sorted(spoken), "the clock was not set at all"
    assert (await room.state()).is_open


@pytest.mark.parametrize("offset", [-HOUR, 25 * HOUR])
async def test_the_limit_of_rate_holds_and_no_more_than_that(
    wrong_server: Server, wrong_lab: Lab, set_clock: SetClock, offset: float, sqlite_only: None
) -> None:
    rules = Rules(rate=0.01, burst=5)
    room = await wrong_lab.create_room(f"rate{offset}", study="tests", rules=rules)
    async with three(wrong_server, room) as (ann, bob, carl):
        for n in range(5):
            await ann.says(f"{n}")
        assert await ann.tries("too much") == "too_fast"
        await bob.says("before")
        set_clock(offset)
        for person in (ann, bob, carl):
            await person.says("after")
        stored = 0
        while (code := await says_if(carl, f"{stored}")) is None:
            stored += 1
        assert code == "too_fast" and stored <= 5


async def says_if(person: Browser, text: str) -> str | None:
    """Say something; None if it was stored, else the code of its refusal."""
    cid = await person.send(text)

    def refusals() -> list[str]:
        return [f["code"] for f in person.frames if f["t"] == "refused" and f["cid"] == cid]

    await person.until(lambda: cid in person.stored or bool(refusals()))
    return next(iter(refusals()), None)


async def test_a_line_that_was_closed_for_a_day_needs_a_new_ticket(
    wrong_server: Server, wrong_lab: Lab, set_clock: SetClock, sqlite_only: None
) -> None:
    async with page(wrong_server.port) as ann:
        async with browser(wrong_server.port) as first:
            await first.hello(ticket=await ann.ticket())
            await first.says("before")
            await first.sees("before")
            set_clock(DAY + 60)
            await first.says("an open line stays")
            await first.sees("before", "an open line stays")
            token, upto = first.welcome["resume"], first.upto
        async with browser(wrong_server.port) as again:
            await again.tell(t="hello", v=VERSION, resume=token, after=upto)
            assert await again.is_sent_away() == ("ticket", 4401)
        async with browser(wrong_server.port) as fresh:
            await fresh.hello(ticket=await ann.asks_again(), after=upto)
            assert fresh.texts == []
            await fresh.says("after")
            await fresh.sees("after")


async def test_a_line_that_was_closed_for_less_than_a_day_comes_back(
    wrong_server: Server, wrong_lab: Lab, set_clock: SetClock
) -> None:
    room = await wrong_lab.create_room("nearly", study="tests")
    async with three(wrong_server, room) as (ann, _, _):
        token, upto = ann.welcome["resume"], ann.upto
    for offset in (-HOUR, DAY - 60):
        set_clock(offset)
        async with browser(wrong_server.port) as again:
            await again.hello(resume=token, after=upto)


async def test_a_server_whose_clock_is_fast_takes_no_other_for_dead(
    wrong_server: Server, wrong_lab: Lab, set_clock: SetClock
) -> None:
    """What another process streams goes on, as long as that lives."""
    room = await wrong_lab.create_room("streamed elsewhere", study="tests")
    async with three(wrong_server, room) as (ann, _, _):
        set_clock(HOUR)
        stream = await RoomStream.open(room, Post(()), None)
        assert stream is not None
        await stream.append([("markdown", "one")])
        await ann.until(lambda: ann.texts == ["one"])
        with suppress(TimeoutError):  # it looks four times a second for servers that have ended
            await ann.until(lambda: False, within=2.0)
        await stream.append([("markdown", " two")])
        await stream.close("done")
        await ann.until(lambda: ann.texts == ["one two"])
    assert [e.data["is"] for e in await log_of(room) if e.kind == "streamed"] == ["done"]
