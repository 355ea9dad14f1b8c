"""`Room.messages()` reads a room of any size in slices."""

from __future__ import annotations

import asyncio
import gc
import threading
from collections.abc import Awaitable

import pytest

from shiny_labchat import Lab, Message, Room, Rules
from shiny_labchat.domain.commands import EndStream, Post
from shiny_labchat.live.slices import SLICE, in_slices
from shiny_labchat.store import studies_with
from tests.support.slices import slices


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("r", study="s", rules=Rules(rate=None))


async def test_a_room_of_any_size_is_read_in_slices(room: Room) -> None:
    await asyncio.gather(*(room.post(f"{n}") for n in range(2 * SLICE + 50)))
    with slices() as asked:
        assert len(await room.messages()) == 2 * SLICE + 50
        assert len(await room.messages(last=SLICE + 10)) == SLICE + 10
    assert asked == [SLICE, SLICE, SLICE, SLICE, 10], "a slice asks for no row that is not wanted"


async def test_what_is_read_does_not_depend_on_the_slices(room: Room) -> None:
    """Streams, some void or open, private messages and the study's own data lie between."""
    streams = [(await room.submit(Post([], is_live=True))).events[0].seq for _ in range(4)]
    posted = range(2 * SLICE + 9)
    audiences = (["ann"] if n % 4 == 0 else None for n in posted)
    posts = [room.post(f"{n}", audience=a) for n, a in zip(posted, audiences, strict=True)]
    await asyncio.gather(*posts[:SLICE], *(room.record("guess", n) for n in range(9)))
    await room.submit(EndStream(streams[0], [("text", "streamed")], "done"))
    await room.submit(EndStream(streams[1], [], "failed", error="it broke"))
    await room.submit(EndStream(streams[2], [("text", "hushed")], "withheld"))
    await asyncio.gather(*posts[SLICE:])
    said = await room.messages()
    assert said[0].content == "streamed"
    assert sorted(int(m.content) for m in said[1:]) == list(posted)
    assert [m.seq for m in said] == sorted(m.seq for m in said)
    for after in (0, said[0].seq, said[SLICE].seq, said[-1].seq):
        rest = [m for m in said if m.seq > after]
        assert await room.messages(after) == rest
        for most in (0, 1, SLICE - 1, SLICE, SLICE + 1, 2 * SLICE + 1, len(said) + 1):
            assert await room.messages(after, limit=most) == rest[:most]
            assert await room.messages(after, last=most) == rest[len(rest) - min(most, len(rest)) :]


async def test_readers_of_much_take_turns_and_nobody_waits_for_a_first_slice(room: Room) -> None:
    order: list[str] = []
    together = threading.Barrier(3, timeout=60)

    def reading(name: str, slices: int) -> Awaitable[None]:
        def read(conn: object) -> bool:
            if name not in order:
                order.append(name)
                together.wait()  # the first slices are read at the same time
            else:
                order.append(name)
            return order.count(name) < slices

        return in_slices(room.log, read)

    await asyncio.gather(reading("a", 10), reading("b", 10), reading("short", 1))
    assert set(order[:3]) == {"a", "b", "short"}
    both = [at for at in range(3, 21) if min(map(order[:at].count, "ab")) >= 2]
    turns = [at for at in both if max(map(order[:at].count, "ab")) < 10]
    assert all(order[at] != order[at - 1] for at in turns), order


async def test_messages_are_no_burden_for_the_garbage_collector(room: Room) -> None:
    await room.post("hello")
    (message,) = await room.messages()
    assert isinstance(message, Message) and not gc.is_tracked(message)


async def test_who_asks_for_a_room_that_is_not_there_reads_no_list_of_all(
    lab: Lab, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    for study in ("t", "u"):
        await lab.create_room("r", study=study)
        await lab.create_room(f"only in {study}", study=study)
    assert await lab.room("r", study="elsewhere").messages() == []
    assert "study 's', 't', 'u' has one" in caplog.text
    assert await room.log.read(lambda conn: studies_with(conn, "only in t")) == ["t"]
    assert await room.log.read(lambda conn: studies_with(conn, "nowhere")) == []
