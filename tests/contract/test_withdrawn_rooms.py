"""Rooms in memory: nothing in them has the words of somebody who has withdrawn, in any process."""

from __future__ import annotations

import asyncio
import gc
import json
from collections.abc import Callable, Iterable

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.audit.prompts import Base, told_of
from shiny_labchat.domain.commands import EndStream, Post
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.presence import Signs
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.heard import Heard
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.live.whole import recently_read
from shiny_labchat.live.window import WINDOW
from shiny_labchat.store import Person, seen_of

pytestmark = pytest.mark.anyio

SECRET = "SECRET-WORDS"


def live_of(lab: Lab) -> LiveRooms:
    return Runtime.of(lab.log).live


async def until(lab: Lab, is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not is_so():
            await lab.log.settled()


async def talk(room: Room, messages: int = 1) -> None:
    for n in range(messages):
        await room.post(f"{SECRET} {n}", author="a")
        await room.post(f"answer {n}", author="b")
    await room.post(f"{SECRET} for b alone", author="a", audience=["b"])


def has_withdrawn(live: LiveRoom) -> bool:
    return "a" not in live.state.memberships


def remembers(live: LiveRoom) -> bool:
    """Whether a live room has the words, or the id, in any frame, or for any reader."""
    entries = live._window._entries
    events = (event for event, _ in entries)
    shown = " ".join(item for _, item in entries)
    frames = repr(live._window._frames)
    raw = " ".join(json.dumps([event.member, event.data]) for event in events)
    streams = repr([each.parts for each in live.streams._ended.values()])
    return any(SECRET in text for text in (shown, frames, raw, streams)) or '"a"' in raw


@pytest.mark.parametrize("size", [3, WINDOW])
async def test_an_open_room_has_no_words_any_more(lab: Lab, room: Room, size: int) -> None:
    await talk(room, size)
    live = await live_of(lab).open(room.key)
    await live.read_whole()
    whole = live.whole
    assert remembers(live)
    done = await lab.withdraw("a")
    await until(lab, lambda: has_withdrawn(live))
    assert not remembers(live)
    assert whole.is_outdated and whole.public(0) == ()
    viewer = live.state.memberships["b"]
    said = live.whole.seen(live.state, viewer, live.state.seq)
    theirs = [each for each in said if each.member == done.id]
    assert len(theirs) == size + 1
    assert all(each.content == "" and each.withdrawn and each.author is None for each in theirs)
    assert [each.content for each in live.whole.told(0)] == [f"answer {n}" for n in range(size)]
    live.leave()


async def test_another_process_reads_anew_what_somebody_has_withdrawn_from(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    await talk(room)
    there = await live_of(reopen).open(room.key)
    await there.read_whole()
    heard: list[Event] = []
    there.follow(heard.extend)
    await lab.withdraw("a")
    async with asyncio.timeout(1):  # that is how long it may take until pages are told
        await until(reopen, lambda: has_withdrawn(there))
    assert not remembers(there)
    await until(lab, lambda: "withdrawn" in [event.kind for event in heard])
    assert "".join(each.content for each in there.whole.public(0)) == "answer 0"
    there.leave()


async def test_a_room_that_was_left_is_read_anew(lab: Lab, reopen: Lab, room: Room) -> None:
    await talk(room)
    (await live_of(reopen).open(room.key)).leave()
    await lab.withdraw("a")
    live = await live_of(reopen).open(room.key)
    assert has_withdrawn(live) and not remembers(live)
    live.leave()


async def test_what_lingers_is_forgotten_when_somebody_withdraws(lab: Lab, room: Room) -> None:
    await talk(room)
    other = await lab.create_room("other", study="s")
    left = await live_of(lab).open(other.key)
    left.leave()
    live = await live_of(lab).open(room.key)
    told_of(lab.log).remember("bot", Base(1, 1), [{"role": "user", "contents": []}])
    assert len(live_of(lab).lingering) == 1
    await lab.withdraw("a")
    await until(lab, lambda: has_withdrawn(live))
    assert len(live_of(lab).lingering) == 0 and len(recently_read()._sizes) == 0
    assert told_of(lab.log).prompt("bot", [{"role": "user", "contents": []}]).base is None
    live.leave()


async def test_other_processes_learn_by_the_ledger_what_to_forget(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    await talk(room)
    runtime = Runtime.of(reopen.log)
    await runtime.forgetting.look()
    live = await runtime.live.open(room.key)
    await live.read()
    live.leave()
    await lab.withdraw("a")
    assert len(runtime.live.lingering) == 1, "nothing is heard for it"
    await runtime.forgetting.look()
    await until(lab, lambda: len(runtime.live.lingering) == 0)
    del live
    gc.collect()
    assert not any(SECRET in text for text in texts_in(gc.get_objects()))


def texts_in(objects: Iterable[object]) -> list[str]:
    found = (each for each in objects if isinstance(each, Conversation))
    return [message.content for each in found for message in each.public(0)]


async def test_a_reading_under_way_begins_again(lab: Lab, room: Room) -> None:
    await talk(room, WINDOW)
    live = await live_of(lab).open(room.key)
    reading = asyncio.create_task(live.read())
    await lab.withdraw("a")
    await until(lab, lambda: has_withdrawn(live))
    read = await reading
    whole = await live.read() if read.is_outdated else read
    assert not any(SECRET in each.content for each in whole.public(0))
    live.leave()


async def test_streams_that_have_ended_are_forgotten(lab: Lab, room: Room) -> None:
    live = await live_of(lab).open(room.key)
    opened = await room.submit(Post([], member="a", role="user", is_live=True))
    await room.submit(EndStream(opened.events[0].seq, [("text", SECRET)]))
    await until(lab, lambda: remembers(live))
    await lab.withdraw("a")
    await until(lab, lambda: has_withdrawn(live))
    assert not remembers(live)
    live.leave()


async def test_who_quotes_them_is_read_anew_too(lab: Lab, room: Room) -> None:
    quoted = f"{SECRET} with more than thirty characters in all"
    await room.post(quoted, author="a")
    await room.post(f"You said: {quoted}", author="b")
    live = await live_of(lab).open(room.key)
    await live.read_whole()
    await lab.withdraw("a", quotes="blank")
    await until(lab, lambda: has_withdrawn(live))
    assert not remembers(live)
    assert [each.content for each in live.whole.public(0)] == ["", "You said: […]"]
    live.leave()


async def test_when_somebody_was_heard_is_not_stored_after_they_have_withdrawn(
    lab: Lab, room: Room
) -> None:
    heard, me = Heard(lab.log), Person("s", "a")
    heard.note(me, Signs(1, 1, 1))
    await heard.store()
    assert me in (await lab.log.read(lambda conn: seen_of(conn, [me])))[0]
    await heard.forget(me)
    heard.note(me, Signs(2, 2, 2))
    await heard.store()
    assert (await lab.log.read(lambda conn: seen_of(conn, [me])))[0] == {}
