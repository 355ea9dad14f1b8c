"""The whole conversation of a room: read in slices, once for all, and kept while it is read."""

from __future__ import annotations

import asyncio
import gc
import threading
import weakref
from collections.abc import AsyncIterator, Callable

import pytest
from anyio.lowlevel import checkpoint

from shiny_labchat import Lab, Room, Rules, StoreError
from shiny_labchat.domain.commands import EndStream, Post
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.live.slices import SLICE
from shiny_labchat.live.whole import KEPT_BYTES, RecentlyRead, recently_read
from shiny_labchat.live.window import WINDOW
from tests.support.slices import slices

SIZE = WINDOW + 50


@pytest.fixture
async def room(lab: Lab) -> Room:
    room = await lab.create_room("r", study="s", rules=Rules(rate=None))
    await room.add_member("ann")
    return room


@pytest.fixture
async def live(room: Room) -> AsyncIterator[LiveRoom]:
    """A room with more messages than its window has."""
    await asyncio.gather(*(room.post(f"{n}") for n in range(SIZE)))
    live = await Runtime.of(room.log).live.open(room.key)
    yield live
    live.leave()


def texts(live: LiveRoom, conversation: Conversation) -> list[str]:
    ann = live.state.memberships["ann"]
    return [message.content for message in conversation.seen(live.state, ann, live.state.seq)]


async def test_a_room_is_read_in_slices_and_once_for_all_who_read_it(
    live: LiveRoom,
) -> None:
    assert live.conversation() is None
    with slices() as asked:
        one, *others = await asyncio.gather(*(live.read() for _ in range(5)))
    assert asked == [SLICE, SLICE]
    assert all(other is one for other in others) and live.conversation() is one
    assert texts(live, one) == [f"{n}" for n in range(SIZE)]


async def test_a_room_that_is_in_memory_anyway_is_not_read(room: Room) -> None:
    await room.post("hello")
    live = await Runtime.of(room.log).live.open(room.key)
    with slices() as asked:
        await room.post("again")
        conversation = await live.read()
        await caught_up(room, live)
        assert texts(live, conversation) == ["hello", "again"] and asked == []
    live.leave()


async def caught_up(room: Room, live: LiveRoom) -> None:
    """Wait until a live room has all that was posted."""
    head = (await room.state()).seq
    while live.state.seq < head:
        await live.catch_up()


async def test_what_happens_while_a_room_is_read_is_there_once(room: Room, live: LiveRoom) -> None:
    """Messages, and ends of streams that lie in slices already read."""
    early = (await room.submit(Post([], is_live=True))).events[0].seq
    await asyncio.gather(*(room.post(f"later {n}") for n in range(2 * SLICE)))
    await caught_up(room, live)
    goes_on = threading.Event()
    with slices(lambda so_far: so_far <= 3 or goes_on.wait(10)) as asked:
        reading = asyncio.create_task(live.read())
        for n in range(10):
            await room.post(f"meanwhile {n}")
        await until(lambda: len(asked) == 4)
        await room.submit(EndStream(early, [("text", "streamed")], "done"))
        await caught_up(room, live)
        assert not reading.done()
        goes_on.set()
        conversation = await reading
    await caught_up(room, live)
    assert texts(live, conversation) == [m.content for m in await room.messages()]
    assert "streamed" in texts(live, conversation)


async def until(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not is_so():
            await checkpoint()


@pytest.mark.parametrize("where", ["loop", "thread"])
async def test_who_cannot_wait_reads_the_same(room: Room, live: LiveRoom, where: str) -> None:
    reading = asyncio.create_task(live.read())
    await checkpoint()
    now = await asyncio.to_thread(live.read_now) if where == "thread" else live.read_now()
    assert texts(live, now) == texts(live, await reading) == [f"{n}" for n in range(SIZE)]
    assert (now is await reading) is (where == "loop")
    await room.post("newest")
    await caught_up(room, live)
    assert texts(live, await reading)[-1] == "newest"


async def test_after_a_failure_whoever_asks_reads_again(live: LiveRoom) -> None:
    def fail(so_far: int) -> None:
        raise OSError("disk I/O error")

    with slices(fail):
        failed = await asyncio.gather(live.read(), live.read(), return_exceptions=True)
    assert [type(each) for each in failed] == [StoreError, StoreError]
    assert len(texts(live, await live.read())) == SIZE


async def test_who_stops_waiting_takes_it_from_nobody(live: LiveRoom) -> None:
    one, other = asyncio.create_task(live.read()), asyncio.create_task(live.read())
    await checkpoint()
    one.cancel()
    assert len(texts(live, await other)) == SIZE


def read_something_else() -> None:
    """Read what takes all memory that there is for what was read last."""
    other = Conversation()
    other.size = KEPT_BYTES
    recently_read().note(other)


async def test_a_conversation_is_in_memory_while_somebody_reads_it(live: LiveRoom) -> None:
    await live.read()
    await checkpoint()  # the loop refers to what this task has waited for
    gc.collect()
    assert (reader := live.conversation()) is not None, "it was read last"
    read_something_else()
    gc.collect()
    assert live.conversation() is reader
    del reader
    gc.collect()
    assert live.conversation() is None


async def test_what_a_bot_has_read_stays_while_the_room_is_open(live: LiveRoom) -> None:
    await live.read_whole()
    read_something_else()
    gc.collect()
    assert len(live.whole.public(0)) == SIZE


def test_those_read_last_are_kept_up_to_a_size() -> None:
    recent = RecentlyRead(100)
    sizes = (40, 50, 30, 101, 30)
    read = [Conversation() for _ in sizes]
    for conversation, size in zip(read, sizes, strict=True):
        conversation.size = size
        recent.note(conversation)
        recent.note(read[1])
    kept = [weakref.ref(each) for each in read]
    del read, conversation
    gc.collect()
    assert [each() is not None for each in kept] == [False, True, False, False, True]


def test_one_that_has_grown_is_kept_with_its_size_of_now() -> None:
    recent = RecentlyRead(100)
    small, growing = Conversation(), Conversation()
    small.size = growing.size = 50
    recent.note(small)
    recent.note(growing)
    growing.size = 60
    recent.note(growing)
    kept = weakref.ref(small)
    del small
    gc.collect()
    assert kept() is None
