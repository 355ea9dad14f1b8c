"""A retracted message is in the log, and in nothing that anybody reads, in any process."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from shiny_labchat import Lab, Member, Message, Refused, Room
from shiny_labchat.domain.commands import EndStream, Post
from shiny_labchat.domain.events import Event
from shiny_labchat.lab.history import _read, _Reading
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.live.slices import SLICE, in_slices
from shiny_labchat.live.window import WINDOW
from shiny_labchat.store import events_after, find_room
from shiny_labchat.store.checkpoints import kept

pytestmark = pytest.mark.anyio

SECRET = "SECRET-WORDS"


def live_of(lab: Lab) -> LiveRooms:
    return Runtime.of(lab.log).live


async def until(lab: Lab, is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await lab.log.settled()


async def log_of(room: Room) -> list[Event]:
    def read(conn: Any) -> list[Event]:
        found = find_room(conn, room.key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await room.log.read(read)


async def texts_of(room: Room) -> list[str]:
    return [message.content for message in await room.messages()]


def remembers(live: LiveRoom) -> bool:
    """Whether a live room has the words in any frame, stream or list."""
    shown = " ".join(item for _, item in live._window._entries)
    streams = [*live.streams._ended.values(), *live.streams.open.values()]
    said = [message.content for message in live.whole.public(0)]
    return SECRET in f"{shown} {live._window._frames!r} {[s.parts for s in streams]!r} {said!r}"


async def test_it_is_gone_for_programmes_and_the_log_keeps_it_with_the_reason(room: Room) -> None:
    message = await room.post(SECRET, author="a")
    await room.post("stays", author="b")
    await room.retract(message, "rude")
    assert await texts_of(room) == ["stays"]
    assert [each.content for each in await room.messages(last=5)] == ["stays"]
    events = {event.kind: event for event in await log_of(room) if event.member == "a"}
    said, event = events["message"], events["retracted"]
    assert [tuple(part) for part in said.data["parts"]] == [("text", SECRET)]
    assert said.data["retracted"] == event.seq
    assert event.data == {"of": message.seq, "reason": "rude"}


async def test_to_retract_it_again_changes_nothing(lab: Lab, room: Room) -> None:
    message = await room.post(SECRET, author="a")
    await asyncio.gather(*(room.retract(message) for _ in range(3)), room.retract(message.seq))
    kinds = [event.kind for event in await log_of(room)]
    assert kinds.count("retracted") == 1


async def test_two_processes_retract_it_once(lab: Lab, reopen: Lab, room: Room) -> None:
    message = await room.post(SECRET, author="a")
    there = reopen.room(room.id, study=room.study)
    await asyncio.gather(room.retract(message), there.retract(message))
    assert [event.kind for event in await log_of(room)].count("retracted") == 1
    await there.post("goes on", author="b")
    assert await texts_of(room) == ["goes on"]


@pytest.mark.parametrize("of", [1, 10_000, 0, -1])
async def test_what_is_no_message_is_refused(room: Room, of: int) -> None:
    with pytest.raises(Refused, match="no_message"):
        await room.retract(of)


async def test_what_is_said_wrongly_is_said(lab: Lab, room: Room) -> None:
    message = await lab.room("elsewhere", study="s").post("there")
    with pytest.raises(ValueError, match=r"message: it is of room 'elsewhere' of study 's'"):
        await room.retract(message)
    for wrong in ("m1", None, True):
        with pytest.raises(TypeError, match="message must be a Message"):
            await room.retract(wrong)  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("size", [1, WINDOW])
async def test_an_open_room_has_no_words_any_more(lab: Lab, room: Room, size: int) -> None:
    message = await room.post(SECRET, author="a")
    for n in range(size):
        await room.post(f"{n}", author="b")
    live = await live_of(lab).open(room.key)
    await live.read_whole()
    whole = live.whole
    assert remembers(live)
    await room.retract(message)
    assert not remembers(live), "at once, for who has retracted it"
    assert whole.is_outdated
    assert [each.content for each in live.whole.told(0)] == [f"{n}" for n in range(size)]
    live.leave()


async def test_another_process_reads_anew(lab: Lab, reopen: Lab, room: Room) -> None:
    message = await room.post(SECRET, author="a")
    there = await live_of(reopen).open(room.key)
    await there.read_whole()
    heard: list[Event] = []
    there.follow(heard.extend)
    await room.retract(message)
    await until(reopen, lambda: not remembers(there))
    await until(reopen, lambda: "retracted" in [event.kind for event in heard])
    there.leave()
    again = await live_of(reopen).open(room.key)
    assert not remembers(again)
    again.leave()


async def test_a_reading_under_way_begins_again(lab: Lab, room: Room) -> None:
    message = await room.post(SECRET, author="a")
    for n in range(WINDOW + 10):
        await room.post(f"{n}", author="b")
    live = await live_of(lab).open(room.key)
    reading = asyncio.create_task(live.read())
    await room.retract(message)
    read = await reading
    whole = await live.read() if read.is_outdated else read
    assert SECRET not in [each.content for each in whole.public(0)]
    live.leave()


@pytest.mark.parametrize("last", [None, 500])
async def test_who_reads_a_long_room_meanwhile_reads_again(
    lab: Lab, room: Room, last: int | None
) -> None:
    messages = [await room.post(f"{n}", author="a") for n in range(2 * SLICE + 1)]
    reading = _Reading(room.key, 0, None, last)
    await lab.log.read(reading.read)  # a slice, as `messages` reads them
    await room.retract(messages[0 if last is None else -1])
    await in_slices(lab.log, reading.read)
    assert reading.is_outdated and len(reading.messages()) == len(messages)
    left = (await _read(lab.log, reading.anew())).messages()
    assert len(left) == len(messages) - 1


# ── streams ──


async def test_a_stream_that_runs_is_ended_first_and_nothing_that_was_shown_is_lost(
    lab: Lab, room: Room
) -> None:
    stream = await RoomStream.open(room, Post([], member="b", role="user"), None)
    assert stream is not None
    await stream.append([("markdown", SECRET)])
    live = await live_of(lab).open(room.key)
    await until(lab, lambda: remembers(live))
    await room.retract(stream.seq, "a secret")
    assert await texts_of(room) == []
    [end] = [event for event in await log_of(room) if event.kind == "streamed"]
    assert [tuple(part) for part in end.data["parts"]] == [("markdown", SECRET)]
    assert end.data["is"] == "stopped" and "retracted" in end.data
    await until(lab, lambda: not stream.is_open)
    await stream.append([("markdown", f"more {SECRET}")])
    await stream.close("done")
    await until(lab, lambda: not remembers(live))
    assert [event.kind for event in await log_of(room)].count("streamed") == 1
    assert await lab.log.read(lambda conn: kept(conn, find_room(conn, room.key)[0], {})) == {}  # pyright: ignore
    live.leave()


async def test_a_stream_of_another_process_ends_there(lab: Lab, reopen: Lab, room: Room) -> None:
    there = reopen.room(room.id, study=room.study)
    stream = await RoomStream.open(there, Post([]), None)
    assert stream is not None
    live = await live_of(lab).open(room.key)
    await stream.append([("markdown", SECRET)])
    await until(lab, lambda: remembers(live))
    await room.retract(stream.seq)
    assert await texts_of(room) == [] and not remembers(live)
    await until(reopen, lambda: not stream.is_open)
    await stream.close("done")
    assert await texts_of(there) == [] and not remembers(live)
    live.leave()


async def test_a_stream_grows_while_it_is_retracted(lab: Lab, room: Room) -> None:
    stream = await RoomStream.open(room, Post([]), None)
    assert stream is not None

    async def grow() -> None:
        while stream.is_open:
            await stream.append([("markdown", f"{SECRET} ")])
            await lab.log.settled()

    growing = asyncio.create_task(grow())
    live = await live_of(lab).open(room.key)
    await until(lab, lambda: remembers(live))
    await room.retract(stream.seq)
    await growing
    await stream.close("done")
    assert await texts_of(room) == [] and not remembers(live)
    live.leave()


async def test_the_late_end_of_a_stream_brings_nothing_back(lab: Lab, room: Room) -> None:
    live = await live_of(lab).open(room.key)
    opened = (await room.submit(Post([], is_live=True))).events[0]
    await room.submit(EndStream(opened.seq, [("text", SECRET)], "interrupted"))
    await room.retract(opened.seq)
    await room.submit(EndStream(opened.seq, [("text", f"{SECRET} and more")]))
    assert await texts_of(room) == [] and not remembers(live)
    live.leave()


async def test_a_stream_that_has_ended_is_gone(lab: Lab, room: Room) -> None:
    live = await live_of(lab).open(room.key)
    opened = (await room.submit(Post([], is_live=True))).events[0]
    await room.submit(EndStream(opened.seq, [("text", SECRET)]))
    await until(lab, lambda: remembers(live))
    await room.retract(opened.seq)
    assert await texts_of(room) == [] and not remembers(live)
    live.leave()


# ── functions, and withdrawals ──


async def test_no_function_is_called_with_what_was_retracted_before(lab: Lab, room: Room) -> None:
    heard: list[str] = []
    may_go_on, done = asyncio.Event(), asyncio.Event()

    @lab.on_message(name="slow")
    async def slow(room: Room, member: Member | None, message: Message) -> None:
        heard.append(str(message))
        await may_go_on.wait()
        if str(message) == "last":
            done.set()

    await room.post("first", author="a")
    await room.retract(await room.post(SECRET, author="a"))
    stream = (await room.submit(Post([], is_live=True))).events[0]
    await room.submit(EndStream(stream.seq, [("text", SECRET)]))
    await room.retract(stream.seq)
    may_go_on.set()
    await room.post("last", author="b")
    async with asyncio.timeout(30):
        await done.wait()
    assert heard == ["first", "last"]


async def test_a_retracted_message_is_withdrawn_like_all_others(lab: Lab, room: Room) -> None:
    message = await room.post(SECRET, author="a")
    await room.retract(message, f"said {SECRET}")
    await lab.withdraw("a")
    assert await texts_of(room) == [], "it does not come back as a blank message"
    text = repr(await log_of(room))
    assert SECRET not in text


@pytest.mark.parametrize("is_retracted_first", [True, False])
async def test_the_words_of_others_stay(lab: Lab, room: Room, is_retracted_first: bool) -> None:
    mine, theirs = await room.post(SECRET, author="a"), await room.post("mine", author="b")
    if is_retracted_first:
        await room.retract(theirs)
    await lab.withdraw("a")
    if not is_retracted_first:
        await room.retract(theirs)
        await room.retract(mine)
    said = [event for event in await log_of(room) if event.kind == "message"]
    assert [event.data["parts"] for event in said] == [[], [["text", "mine"]]]
    assert await texts_of(room) == ([""] if is_retracted_first else [])
