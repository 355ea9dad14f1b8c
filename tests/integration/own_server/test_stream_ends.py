"""Streams that are odd, private, cleared, refused or left, over real servers and sockets."""

from __future__ import annotations

import asyncio
import json
from contextlib import AsyncExitStack
from typing import Any

from shiny_labchat import Lab, Room
from shiny_labchat.access.tickets import Entry
from shiny_labchat.domain.commands import Post
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.gateway.socket import Socket
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.window import PAGE, Page
from shiny_labchat.protocol import Hello
from shiny_labchat.store.checkpoints import LEASE
from shiny_labchat.words import ENGLISH
from tests.integration.conftest import log_of
from tests.integration.own_server.conftest import Person
from tests.integration.own_server.test_streams import (
    APP,
    begun,
    messages,
    room,
    streams,
    text_of,
    until,
    viewer,
    words,
)
from tests.support.client import Browser, browser
from tests.support.page import page
from tests.support.server import Server

__all__ = ["APP", "room"]

WITHIN = LEASE / 1e6 + 10.0
"""How long the end of a stream is waited for whose server is gone, in seconds."""


def sent(to: Browser) -> int:
    """How many characters of chunks a browser was sent."""
    return sum(len(str(frame)) for frame in to.frames if frame["t"] == "chunks")


def said(to: Browser) -> int:
    """How many characters of a stream there were in these chunks."""
    changes = (each for frame in to.frames if frame["t"] == "chunks" for each in frame["of"])
    return sum(len(more if isinstance(more, str) else str(more)) for _, more, *_ in changes)


async def test_what_no_page_could_be_sent_is_made_such_that_it_can(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one, viewer(server, room, "two") as two:
        await one.send("odd")
        said = "before \U0001f600 nul \ufffd after"
        for each in (one, two):
            await until(each, 1)
            assert [(text_of(item), item["is"]) for item in streams(each)] == [(said, "done")]
        async with viewer(server, room, "late") as late:
            assert [text_of(item) for item in streams(late)] == [said]
    assert said in await messages(room)


async def test_what_changes_at_its_end_only_costs_that(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one, viewer(server, room, "two") as two:
        await one.send("progress")
        for each in (one, two):
            await until(each, 1)
            (text,) = map(text_of, streams(each))
            assert text.strip("x") == "done"
            assert sent(each) < 1.5 * len(text)


async def test_in_another_process_it_costs_no_more_than_it_says(
    server: Server, person: Person, room: Room, lab: Lab
) -> None:
    other = Server(APP, lab.url)
    other.start()
    try:
        async with viewer(other, room, "two") as two, person() as one:
            await one.send("speak word 800")
            await two.until(lambda: any("is" in item for item in streams(two)), within=30)
            assert [text_of(item) for item in streams(two)] == [words("word", 800)]
            assert said(two) < 1.5 * len(words("word", 800))
    finally:
        other.stop()


async def test_all_who_may_see_a_private_stream_see_its_end(
    server: Server, person: Person, room: Room
) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(person())
        two, three = [
            await stack.enter_async_context(viewer(server, room, name)) for name in ("two", "three")
        ]
        await one.send("private a 20 two")
        for each in (one, two):
            await each.until(lambda each=each: words("a", 20) in each.texts)
            await each.until(lambda each=each: not any(i.get("live") for i in each.items.values()))
        await three.settles()
        assert "a19 " not in str(three.frames)


async def test_all_see_the_end_when_one_has_cleared_their_view(
    server: Server, person: Person, room: Room
) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(person())
        others = [await stack.enter_async_context(viewer(server, room, f"v{n}")) for n in range(4)]
        await one.send("speak a 60")
        for each in others:
            await begun(each, "a5 ")
        await one.send("clear")
        await one.hears("events")
        for each in others:
            await until(each, 1)
            assert [text_of(item) for item in streams(each)] == [words("a", 60)]
        await one.until(lambda: not streams(one))


async def test_an_older_page_that_crosses_the_end_shows_all_of_it(room: Room) -> None:
    """The log is read before the end, and the page is sent after it."""
    await room.add_member("ann")
    speaker = await RoomStream.open(room, Post([]), None)
    assert speaker is not None
    await speaker.append([("markdown", "the answer")])
    for n in range(PAGE + 10):
        await room.post(str(n))
    live = await Runtime.of(room.log).live.open(room.key)
    read = live.older

    async def late(before: int, viewer: Membership) -> Page:
        page = await read(before, viewer)
        await speaker.close("done")
        async with asyncio.timeout(WITHIN):
            while live.streams.open:
                await asyncio.to_thread(int)
        return page

    live.older = late
    inbox, shown = asyncio.Queue[dict[str, str]](), Shown()
    entry = Entry(room.log, room.key, "ann", "page", "token")
    serving = asyncio.create_task(
        Socket(inbox.get, shown.send, entry, live, ENGLISH).serve(Hello("token", False))
    )
    await shown.until(lambda: bool(shown.items))
    before = {"t": "older", "before": next(iter(shown.items))}
    inbox.put_nowait({"type": "websocket.receive", "text": json.dumps(before)})
    id = id_of(live.state.seed, speaker.seq)
    await shown.until(lambda: shown.items.get(id, {}).get("is") == "done")
    assert text_of(shown.items[id]) == "the answer"
    serving.cancel()
    live.leave()


class Shown(Browser):
    """What a page is sent that has no network."""

    def __init__(self) -> None:
        super().__init__(None)  # pyright: ignore[reportArgumentType]
        self._came = asyncio.Event()

    async def send(self, message: Any) -> None:
        for frame in message["text"].split("\n"):
            self._take(json.loads(frame))
        self._came.set()

    def _grow(self, id: str, more: str | list[list[Any]], keep: int | None = None) -> None:
        if id in self.items:  # else it is on an older page, which it may ask for
            super()._grow(id, more, keep)

    async def _receive(self) -> None:
        self._came.clear()
        await self._came.wait()


async def test_who_may_not_begin_a_stream_is_told_so(server: Server) -> None:
    async with page(server.port) as opened, browser(server.port) as one:
        await one.hello(ticket=await opened.ticket())
        for n, (word, why) in enumerate({"refused": "kept for the log", "muted": "muted"}.items()):
            await one.send(word)
            await opened.until(lambda n=n: len(opened.notifications) > n)
            assert why in opened.notifications[-1].lower()
            await asyncio.to_thread(server.logs, "a stream failed in room 'streams'")


async def test_what_is_no_chunk_takes_nothing_back(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one:
        await one.send("replace")
        await until(one, 1)
    assert (await messages(room))[-1] == "kept"


async def test_what_never_found_a_room_is_given_up_with_its_session(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one:
        async with person() as two:
            await two.says("never")
            await two.says("running?")
            await two.sees("1 running")
        async with asyncio.timeout(WITHIN):
            while one.texts[-1:] != ["0 running"]:
                await one.says("running?")
                await one.until(lambda: one.texts[-1].endswith(" running"))


async def test_a_script_reads_what_a_server_had_said_that_is_gone(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one:
        await one.send("speak a 3000")
        await begun(one, "a300 ")
        assert await messages(room) == ["speak a 3000"]
        server.kill()
    async with asyncio.timeout(WITHIN):
        while len(said := await messages(room)) < 2:
            pass
    assert words("a", 3000).startswith(said[1]) and len(said[1]) > 0


async def test_it_ends_soon_after_a_server_starts_though_nobody_visits(
    server: Server, person: Person, room: Room
) -> None:
    async with person() as one:
        await one.send("speak a 3000")
        await begun(one, "a30 ")
        server.kill()
    server.start()
    await asyncio.to_thread(server.logs, "its server has ended", within=WITHIN)
    async with asyncio.timeout(WITHIN):
        while not (ends := [event for event in await log_of(room) if event.kind == "streamed"]):
            pass
    assert [event.data["is"] for event in ends] == ["interrupted"]
