"""Live rooms that all have left: what opening them again costs, and what they know then."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine
from contextvars import Context, ContextVar
from pathlib import Path
from typing import Any
from weakref import ref

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.domain.commands import Post
from shiny_labchat.errors import Refused
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.lingering import LingeringRooms
from shiny_labchat.live.room import MAX_MISSED_EVENTS, LiveRoom
from shiny_labchat.live.rooms import LiveRooms
from tests.support.database import rows
from tests.support.work import counted


def live_of(lab: Lab) -> LiveRooms:
    return Runtime.of(lab.log).live


async def opened(lab: Lab, room: Room) -> LiveRoom:
    return await live_of(lab).open(room.key)


def contents(live: LiveRoom) -> list[str]:
    return [message.content for message in live.whole.public(0)]


async def test_a_room_that_was_left_is_not_read_again(lab: Lab, room: Room) -> None:
    for n in range(300):
        await room.post(f"{n}")
    live = await opened(lab, room)
    await live.read_whole()
    live.leave()
    await room.post("missed")
    with counted() as work:
        again = await opened(lab, room)
        await again.read_whole()
    assert again is live and again.state.seq == (await room.state()).seq
    assert contents(again) == [*map(str, range(300)), "missed"]
    assert work["events"] <= 2, "what was missed, and the room's first event"
    again.leave()


async def test_a_room_that_was_left_costs_no_hearing(lab: Lab, room: Room) -> None:
    live = await opened(lab, room)
    assert room.key in lab.log._writer.listeners.watched
    live.leave()
    assert room.key not in lab.log._writer.listeners.watched
    assert len(live_of(lab).lingering) == 1


async def test_what_other_processes_did_meanwhile_is_known_when_it_is_opened_again(
    lab: Lab, reopen: Lab, room: Room
) -> None:
    (await opened(lab, room)).leave()
    there = reopen.room(room.id, study=room.study)
    await there.add_member("c", "Cleo")
    await there.post("hi", author="c")
    streamed = await there.submit(Post([], is_live=True))
    live = await opened(lab, room)
    membership = live.state.membership("c")
    assert membership is not None and membership.pseudonym == "Cleo"
    assert list(live.streams.open) == [streamed.events[0].seq]
    live.leave()
    assert not len(live_of(lab).lingering), "somebody may go on with the stream"


async def test_who_opens_it_while_it_reads_what_it_missed_waits_for_that(
    lab: Lab, room: Room
) -> None:
    (await opened(lab, room)).leave()
    await room.post("missed")
    both = await asyncio.gather(opened(lab, room), opened(lab, room), room.post("new"))
    for live in both[:2]:
        await live.read_whole()
        await live.catch_up()
        assert contents(live) == ["missed", "new"]
        live.leave()
    assert both[0] is both[1]


async def test_a_room_that_has_changed_much_is_loaded_anew(lab: Lab, room: Room) -> None:
    (await opened(lab, room)).leave()
    posts = (room.post(f"{n}") for n in range(MAX_MISSED_EVENTS + 1))
    await asyncio.gather(*posts)
    with counted() as work:
        live = await opened(lab, room)
    assert live.state.seq == (await room.state()).seq
    assert work["events"] < 400
    assert live.is_behind(1)
    live.leave()


async def test_another_room_of_this_name_is_not_taken_for_it(
    lab: Lab, room: Room, tmp_path: Path, url: str
) -> None:
    await room.post("old")
    (await opened(lab, room)).leave()
    rows(url, "DELETE FROM event")
    rows(url, "DELETE FROM room")
    with pytest.raises(Refused):
        await opened(lab, room)
    lab.log._writer._heads.clear()
    other = lab.room(room.id, study=room.study)
    await other.create()
    for text in ("new", "newer", "newest"):
        await other.post(text)
    live = await opened(lab, room)
    await live.read_whole()
    assert contents(live) == ["new", "newer", "newest"]
    live.leave()


async def test_the_rooms_that_nobody_has_open_are_bounded_in_bytes(lab: Lab, room: Room) -> None:
    rooms = [await lab.create_room(f"r{n}") for n in range(5)]
    live = [await opened(lab, each) for each in rooms]
    lingering = LingeringRooms(most=3 * live[0].size + 10, seconds=60)
    for each in live:
        lingering.keep(each)
    assert len(lingering) == 3 and lingering.size <= 3 * live[0].size + 10
    assert [lingering.take(each.key) is not None for each in rooms] == [False] * 2 + [True] * 3
    assert lingering.size == 0
    for each in live:
        each.leave()


async def test_a_room_with_much_in_it_counts_as_much(lab: Lab, room: Room) -> None:
    live = await opened(lab, room)
    empty = live.size
    await room.post("x" * 4_000)
    await live.catch_up()
    assert live.size > empty + 8_000
    live.leave()


async def test_a_room_that_nobody_opens_again_is_dropped_after_a_time(lab: Lab, room: Room) -> None:
    other = await lab.create_room("other")
    live = [await opened(lab, each) for each in (room, other)]
    lingering = LingeringRooms(most=2**30, seconds=0.2)
    for each in live:
        lingering.keep(each)
    async with asyncio.timeout(20):
        while len(lingering):
            await room.members()
    assert lingering.size == 0 and lingering.take(room.key) is None
    for each in live:
        each.leave()


# ── who had it open ──


class Visitor:
    """Stands for a Shiny session."""


_visitor: ContextVar[Visitor | None] = ContextVar("visitor", default=None)


async def by_visitor(work: Coroutine[Any, Any, None]) -> ref[Visitor]:
    """Do something in the context of a visitor, who is gone then."""
    context, visitor = Context(), Visitor()
    context.run(_visitor.set, visitor)
    await asyncio.create_task(work, context=context)
    return ref(visitor)


async def is_forgotten(visitor: ref[Visitor]) -> bool:
    """Whether nothing refers to a visitor any more, once what they did has ended."""
    try:
        async with asyncio.timeout(20):
            while visitor() is not None:
                await asyncio.to_thread(gc.collect)
    except TimeoutError:
        return False
    return True


async def test_a_room_keeps_nothing_of_who_opened_it(lab: Lab, room: Room) -> None:
    held: list[LiveRoom] = []

    async def come() -> None:
        held.append(await opened(lab, room))
        await held[0].read_whole()

    assert await is_forgotten(await by_visitor(come())), "who came first"
    held.pop().leave()
    await room.post("missed")
    assert await is_forgotten(await by_visitor(come())), "who came to a room that all had left"
    held.pop().leave()


async def test_a_room_keeps_nothing_of_who_left_it_last(lab: Lab, room: Room) -> None:
    live = await opened(lab, room)

    async def go() -> None:
        live.leave()

    assert await is_forgotten(await by_visitor(go()))
    assert len(live_of(lab).lingering) == 1
