"""Pages are told of a retraction, in all processes, and whenever they come back."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import EndStream, Post
from tests.integration.conftest import APP, Come
from tests.support.client import Browser, browser
from tests.support.server import Server, shiny_run

SECRET = "SECRET-WORDS"


@pytest.fixture(scope="module")
def second(url: str) -> Iterator[Server]:
    """Another server of the same database."""
    server = Server(shiny_run(APP), url)
    server.start()
    yield server
    server.stop()


def retractions(page: Browser) -> list[dict[str, object]]:
    items = (item for frame in page.frames for item in frame.get("e", ()))
    return [item for item in items if item.get("k") == "retracted"]


async def test_a_message_is_gone_from_open_pages_of_two_processes(
    come: Come, room: Room, second: Server
) -> None:
    async with come("ann") as ann, come("bob") as bob, come("cat", port=second.port) as cat:
        await ann.says(SECRET)
        id = await bob.says("hello")
        await cat.sees(SECRET, "hello")
        of = next(iter(cat.items))
        [message] = [each for each in await room.messages() if each.content == SECRET]
        await room.retract(message, "a reason that nobody is told")
        for page in (ann, bob, cat):
            await page.until(lambda page=page: page.texts == ["hello"])  # pyright: ignore
            [item] = retractions(page)
            assert item == {"k": "retracted", "id": item["id"], "of": of} and of != id
            assert "a reason" not in repr(page.frames)


async def test_who_was_offline_is_told_when_they_come_back_and_newcomers_get_nothing(
    come: Come, room: Room, server: Server
) -> None:
    async with come("ann") as ann, come("bob") as bob:
        await ann.says("stays")
        await ann.says(SECRET)
        await bob.sees("stays", SECRET)
        upto, resume, items = bob.upto, bob.welcome["resume"], dict(bob.items)
    await room.retract((await room.messages())[-1])
    async with browser(server.port) as back:
        back.items.update(items)
        welcome = await back.hello(after=upto, resume=resume)
        assert not welcome["reset"]
        await back.until(lambda: back.texts == ["stays"])
    async with come("cat") as cat:
        assert cat.texts == ["stays"] and SECRET not in repr(cat.frames)
        assert retractions(cat) == []


async def test_older_pages_lack_it(come: Come, room: Room) -> None:
    first = await room.post(SECRET)
    for n in range(60):
        await room.post(f"{n}")
    await room.retract(first)
    async with come("bob") as bob:
        await bob.tell(t="older", before=next(iter(bob.items)))
        await bob.hears("older")
        assert len(bob.items) == 60 and SECRET not in repr(bob.frames)


async def test_who_could_not_see_it_is_told_nothing(come: Come, room: Room) -> None:
    for member in ("ann", "cat"):
        await room.add_member(member)
    private = await room.post(SECRET, author="ann", audience=["cat"])
    async with come("bob") as bob, come("cat") as cat:
        await cat.sees(SECRET)
        seen = len(bob.frames)
        await room.retract(private)
        await cat.until(lambda: cat.texts == [])
        await bob.settles()
        told = [frame["t"] for frame in bob.frames[seen:]]
        assert [t for t in told if t not in ("here", "presence")] == ["checked"]


async def test_a_stream_stops_and_goes_from_the_pages(come: Come, lab: Lab, room: Room) -> None:
    async with come("bob") as bob:
        opened = (await room.submit(Post([], is_live=True))).events[0]
        await bob.until(lambda: len(bob.items) == 1)
        await room.retract(opened.seq)
        await bob.until(lambda: bob.items == {})
        await room.submit(EndStream(opened.seq, [("text", SECRET)]))
        await room.post("marker")
        await bob.sees("marker")
        assert SECRET not in repr(bob.frames)


async def test_who_lacked_some_of_a_stream_is_not_sent_the_rest(
    come: Come, room: Room, server: Server
) -> None:
    async with come("bob") as bob:
        opened = (await room.submit(Post([], is_live=True))).events[0]
        await bob.until(lambda: len(bob.items) == 1)
        upto, resume, items = bob.upto, bob.welcome["resume"], dict(bob.items)
    await room.submit(EndStream(opened.seq, [("text", SECRET)]))
    await room.retract(opened.seq)
    async with browser(server.port) as back:
        back.items.update(items)
        await back.hello(after=upto, resume=resume)
        await back.until(lambda: back.items == {})
        assert SECRET not in repr(back.frames)
