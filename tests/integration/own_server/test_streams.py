"""Streams in a room: many at once, while people talk, through everything that may happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress

import pytest
from websockets.exceptions import ConnectionClosed

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.domain.membership import Role
from shiny_labchat.store.checkpoints import LEASE
from tests.integration.own_server.conftest import Person
from tests.support.client import Browser, Frame, browser
from tests.support.database import held
from tests.support.server import Server

APP = ["-m", "uvicorn", "tests.integration.apps.streams:app"]
WITHIN = LEASE / 1e6 + 10.0
"""How long the end of a stream is waited for whose server is gone, in seconds."""


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("streams", study="tests", rules=Rules(rate=None))


@asynccontextmanager
async def viewer(
    server: Server, room: Room, name: str, role: Role = "participant"
) -> AsyncIterator[Browser]:
    """A page's socket only."""
    member = await room.add_member(name, name, role=role)
    async with browser(server.port) as socket:
        await socket.hello(ticket=await ticket(room.log, room.key, member.id, f"page-of-{name}"))
        yield socket


def streams(of: Browser) -> list[Frame]:
    """The messages of programmes that a browser shows."""
    return [item for item in of.items.values() if item["role"] == "assistant"]


def text_of(item: Frame) -> str:
    return "".join(content for _, content in item["parts"])


def words(word: str, number: int) -> str:
    return "".join(f"{word}{n} " for n in range(number))


def ended(of: Browser) -> list[Frame]:
    """Those of them that go on no more; who comes late is shown them as any message."""
    return [item for item in streams(of) if "live" not in item]


async def until(socket: Browser, number: int) -> None:
    """Wait until so many streams are there, and have all ended."""
    await socket.until(lambda: len(ended(socket)) >= number, WITHIN)


async def begun(socket: Browser, text: str) -> None:
    """Wait until some stream shows a text."""
    await socket.until(lambda: any(text in text_of(item) for item in streams(socket)))


async def messages(room: Room) -> list[str]:
    return [message.content for message in await room.messages()]


async def test_several_at_once_while_people_talk(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one, viewer(server, room, "two") as two:
        await one.send("speak a 60")
        await one.send("speak b 60")
        await begun(two, "a5 ")
        for n in range(5):
            await two.says(f"said meanwhile {n}")
        async with viewer(server, room, "late") as late:
            await late.until(lambda: bool(streams(late)) and "a5 " in text_of(streams(late)[0]))
            for each in (one, two, late):
                await until(each, 2)
                assert [text_of(item) for item in streams(each)] == [words("a", 60), words("b", 60)]
            await one.settles()
            await two.settles()
            assert one.texts == two.texts == late.texts == await messages(room)


async def test_chunks_are_sent_together_and_cost_little(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one, viewer(server, room, "two") as two:
        await one.send("speak word 200")
        await one.send("speak other 200")
        await until(two, 2)
        frames = [frame for frame in two.frames if frame["t"] == "chunks"]
        assert len(frames) <= 2.5 / 0.04, "one frame per tick, whatever the number of streams"
        sent = sum(len(str(frame)) for frame in frames)
        assert sent <= 3 * sum(len(text_of(item)) for item in streams(two))


async def test_it_goes_on_when_its_page_goes_away(
    server: Server, person: Person, room: Room
) -> None:
    async with viewer(server, room, "two") as two:
        async with person() as one:
            await one.send("speak a 100")
            await begun(two, "a3 ")
        await until(two, 1)
        assert text_of(streams(two)[0]) == words("a", 100)


async def test_what_was_missed_is_shown_after_an_interruption(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one:
        async with viewer(server, room, "two") as two:
            await one.send("speak a 150")
            await begun(two, "a10 ")
        async with browser(server.port) as again:
            again.items, again.upto = two.items, two.upto
            await again.hello(resume=two.welcome["resume"], after=two.upto)
            await begun(again, "a30 ")
        await until(one, 1)
        for before in (two, again):  # its end was missed, too
            async with browser(server.port) as after:
                after.items, after.upto = before.items, before.upto
                await after.hello(resume=two.welcome["resume"], after=before.upto)
                await until(after, 1)
                assert text_of(streams(after)[0]) == words("a", 150)


async def test_who_comes_after_the_end_sees_a_message(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one:
        await one.send("speak a 5")
        await until(one, 1)
        async with viewer(server, room, "late") as late:
            (shown,) = streams(late)
            assert text_of(shown) == words("a", 5)
            assert not {"live", "is"} & set(shown)
            await late.settles()
            assert not [frame for frame in late.frames if frame["t"] == "chunks"]


async def test_what_fails_keeps_what_was_said_and_is_marked(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one:
        await one.send("break")
        await until(one, 1)
        assert [(text_of(item), item["is"]) for item in streams(one)] == [("half a ", "failed")]
        async with viewer(server, room, "late") as late:
            assert [item["is"] for item in streams(late)] == ["failed"]
    assert "half a " in await messages(room)


async def test_who_may_stop_it_stops_it(server: Server, person: Person, room: Room) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(person())
        two = await stack.enter_async_context(viewer(server, room, "two"))
        boss = await stack.enter_async_context(viewer(server, room, "boss", "experimenter"))
        await one.send("speak a 400")
        await one.send("speak b 400")
        await begun(two, "b1 ")
        first, second = streams(two)
        await two.tell(t="stop", id=first["id"])
        await two.tell(t="stop", id="999")
        await begun(two, "b30 ")
        assert not [s for s in streams(two) if "is" in s]
        await one.tell(t="stop", id=first["id"])
        await boss.tell(t="stop", id=second["id"])
        await until(two, 2)
        for word, item in zip("ab", streams(two), strict=True):
            assert item["is"] == "stopped"
            assert words(word, 400).startswith(text_of(item))
        await until(one, 2)
        assert one.texts == await messages(room)


@pytest.mark.parametrize("how", ["kill", "stop", pytest.param("interrupt", marks=pytest.mark.long)])
async def test_a_server_that_goes_leaves_what_was_said(
    server: Server, person: Person, room: Room, how: str
) -> None:
    async with person() as one, viewer(server, room, "two") as two:
        await one.send("speak a 2000")
        await begun(two, "a300 ")
        getattr(server, how)()
    server.start()
    async with browser(server.port) as after:
        after.items, after.upto = two.items, two.upto
        await after.hello(resume=two.welcome["resume"], after=two.upto)
        await until(after, 1)
        (shown,) = streams(after)
        assert shown["is"] == "interrupted"
        said = text_of(shown)
        assert words("a", 2000).startswith(said)
        async with viewer(server, room, "late") as late:
            assert [text_of(item) for item in streams(late)] == [said]
    assert said in await messages(room)


MOMENTS = 0.0, 0.03, 0.3, 1.0, 2.1
"""When a server is killed, in seconds from the first word of a stream."""


@pytest.mark.parametrize("moment", MOMENTS)
async def test_what_anybody_has_read_of_a_stream_outlives_the_server(
    server: Server, person: Person, room: Room, moment: float
) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(person())
        others = [await stack.enter_async_context(viewer(server, room, name)) for name in "abc"]
        await one.send("speak a 2000")
        await begun(others[0], "a0 ")
        reading = [asyncio.create_task(read_to_the_end(each)) for each in (one, *others)]
        await asyncio.wait(reading, timeout=moment)
        server.kill()
        await asyncio.gather(*reading)
        had = [text_of(item) for each in (one, *others) for item in streams(each)]
    server.start()
    async with viewer(server, room, "late") as late:
        await until(late, 1)
        (kept,) = [text_of(item) for item in streams(late)]
    assert kept in await messages(room)
    assert max(had, key=len) and words("a", 2000).startswith(kept)
    assert all(kept.startswith(text) for text in had)


async def read_to_the_end(of: Browser) -> None:
    """Take in whatever comes, until the socket is closed."""
    with suppress(ConnectionClosed):
        await of.until(lambda: False, WITHIN)


async def test_another_process_shows_it_too(person: Person, room: Room, lab: Lab) -> None:
    other = Server(APP, lab.url)
    other.start()
    try:
        async with viewer(other, room, "two") as two, person() as one:
            await one.send("speak a 500")
            await begun(two, "a0 ")
            assert not [s for s in streams(two) if "is" in s]
            await until(two, 1)
            assert text_of(streams(two)[0]) == words("a", 500)
            assert streams(two)[0]["is"] == "done"
    finally:
        other.stop()


async def test_its_end_waits_for_a_locked_database(person: Person, room: Room, lab: Lab) -> None:
    async with person() as one:
        await one.send("speak a 300")
        await begun(one, "a1 ")
        with held(lab.url), pytest.raises(TimeoutError):
            async with asyncio.timeout(7):  # longer than a commit waits
                await until(one, 1)
        assert text_of(streams(one)[0]) != words("a", 300), "what is not stored is not shown"
        await until(one, 1)
        assert text_of(streams(one)[0]) == words("a", 300)
        assert streams(one)[0]["is"] == "done"
