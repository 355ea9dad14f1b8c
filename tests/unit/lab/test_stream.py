"""A stream that a programme speaks in: opened, kept, ended, whatever goes wrong."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.domain.commands import Post
from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.messages import text_of
from shiny_labchat.domain.opaque import seq_of
from shiny_labchat.lab.runtime import Runtime, running
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import checkpoints, events_after, find_room, leases
from shiny_labchat.store.schema import checkpoint
from shiny_labchat.store.sqlite import BUSY_TIMEOUT
from shiny_labchat.streams.content import Position, StreamContent
from shiny_labchat.streams.open_streams import OpenStreams
from shiny_labchat.streams.remote import watch_over
from shiny_labchat.streams.transformed import StreamTransform
from tests.support.reconnecting_client import ticks
from tests.support.stream_reader import apply_chunks

PATIENCE = 30.0
LONG_AGO = 1
HOUR = 3_600_000_000
"""Until when a process has promised to go on that is gone."""


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("r", study="s", rules=Rules(rate=None))


@asynccontextmanager
async def opened(room: Room) -> AsyncIterator[LiveRoom]:
    """The live room, as one that somebody has open."""
    live = await Runtime.of(room.log).live.open(room.key)
    try:
        yield live
    finally:
        live.leave()


async def speaking(
    room: Room, *words: str, transform: StreamTransform | None = None, **post: Any
) -> RoomStream:
    speaker = await RoomStream.open(room, Post([], **post), None, transform)
    assert speaker is not None
    for word in words:
        await speaker.append([("markdown", word)])
    return speaker


async def endings(room: Room) -> list[Mapping[str, Any]]:
    """What the log has of ends of streams."""
    return [event.data for event in await log_of(room) if event.kind == "streamed"]


async def log_of(room: Room) -> list[Event]:
    def read(conn: Any) -> list[Event]:
        number, _ = find_room(conn, room.key) or (0, 0)
        return events_after(conn, number, 0)

    return await room.log.read(read)


async def ends(live: LiveRoom) -> None:
    """Wait until no stream is open."""
    async with asyncio.timeout(PATIENCE):
        while live.streams.open:
            changed = asyncio.Event()
            unfollow = live.follow(lambda _, changed=changed: changed.set())
            if live.streams.open:
                await changed.wait()
            unfollow()


async def texts(room: Room) -> list[str]:
    return [message.content for message in await room.messages()]


async def be_gone(room: Room, seq: int) -> None:
    """The process that speaks is not heard of any more."""

    def write(conn: Any, now: int) -> None:
        checkpoints.renew(conn, LONG_AGO - leases.LEASE, [(room.key, seq)])

    await room.log.write(write)


async def left_open(room: Room, *words: str, **post: Any) -> int:
    """A stream of a process that is gone; its seq."""
    outcome = await room.submit(Post([], is_live=True, **post))
    seq = outcome.events[0].seq

    def write(conn: Any, now: int) -> None:
        kinds = ["markdown", *[""] * len(words)]
        changes = [checkpoints.Checkpoint([part]) for part in zip(kinds, words, strict=False)]
        checkpoints.keep(
            conn, now, [checkpoints.row_of((room.key, seq), change) for change in changes]
        )

    await room.log.write(write)
    await be_gone(room, seq)
    return seq


# ── what is said ──


async def test_what_cannot_be_stored_is_made_such_that_it_can(room: Room) -> None:
    speaker = await speaking(room, "one \ud83d", "\ude00 nu\0l \ud83d", " two\ud83d")
    await speaker.append(
        [("tool_request", {"request_id": "1", "arguments": {"n": 2**70, "x": "\0"}})]
    )
    await speaker.close("failed", "it was \ud83d")
    (end,) = await endings(room)
    assert end["parts"] == [
        ["markdown", "one \U0001f600 nul \ufffd two\ufffd"],
        ["tool_request", {"request_id": "1", "arguments": {"n": str(2**70), "x": ""}}],
    ]
    assert (end["is"], end["error"]) == ("failed", "it was \ufffd")


async def test_who_never_waits_lets_others_have_their_turns(room: Room) -> None:
    speaker, turns = await speaking(room), 0
    loop = asyncio.get_running_loop()

    def take_turn() -> None:
        nonlocal turns
        turns += 1
        if speaker.is_open:
            loop.call_soon(take_turn)

    before = loop.time()
    take_turn()
    for _ in range(50_000):
        await speaker.append([("markdown", "x")])
    assert turns >= (loop.time() - before) / 0.05
    await speaker.close("done")


async def test_a_transform_costs_no_more_the_longer_the_stream_is(room: Room) -> None:
    called = list[int]()

    async def retell(content: str, chunk: str, done: bool) -> tuple[str, str]:
        called.append(len(content))
        return "markdown", content

    loop = asyncio.get_running_loop()
    speaker = await speaking(room, transform=retell)
    before = loop.time()
    for _ in range(20_000):
        await speaker.append([("markdown", "word ")])
    await speaker.close("done")
    assert len(called) <= (loop.time() - before) / 0.04 + 2
    assert await texts(room) == ["word " * 20_000]


# ── the end ──


@pytest.mark.parametrize("turns", [[{"a": object()}], [{"a": {1, 2}}]])
async def test_what_cannot_be_stored_at_all_ends_as_failed(
    room: Room, turns: list[Any], caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(room) as live:
        speaker = await speaking(room, "all of it")
        speaker.turns = turns
        await speaker.close("done")
        await ends(live)
        (end,) = await endings(room)
        assert (end["is"], end["parts"]) == ("failed", [["markdown", "all of it"]])
        assert "TypeError" in end["error"] and "turns" not in end
        assert "stored as failed" in caplog.text and live.users == 1


async def test_numbers_of_any_size_in_turns_are_kept(room: Room) -> None:
    speaker = await speaking(room, "big")
    speaker.turns = [{"value": 2**70, "text": "\ud83d"}]
    await speaker.close("done")
    (message,) = await room.messages()
    assert message.turns == ({"value": str(2**70), "text": "\ufffd"},)


async def test_stopping_what_is_ending_already_changes_nothing(room: Room, lab: Lab) -> None:
    """It is in the middle of its last transform; whoever waits for it is cancelled, too."""
    begun, go_on = asyncio.Event(), asyncio.Event()

    async def retell(content: str, chunk: str, done: bool) -> tuple[str, str]:
        if done:
            begun.set()
            await go_on.wait()
        return "markdown", content.upper()

    stopped = list[bool]()
    async with opened(room) as live:
        speaker = await RoomStream.open(room, Post([]), lambda: stopped.append(True), retell)
        assert speaker is not None
        await speaker.append([("markdown", "all of it")])
        closing = [asyncio.create_task(speaker.close("done")) for _ in range(2)]
        await begun.wait()
        stop = live.streams.open[speaker.seq].stop
        assert stop is not None
        stop()
        closing[0].cancel()
        await asyncio.wait([closing[0]])
        go_on.set()
        await closing[1]
        assert closing[0].cancelled() and not stopped
        await ends(live)
        (end,) = await endings(room)
        assert (end["is"], end["parts"]) == ("done", [["markdown", "ALL OF IT"]])
        assert live.users == 1


async def test_who_is_cancelled_while_the_disk_is_waited_for_ends_it_all_the_same(
    room: Room, url: str, caplog: pytest.LogCaptureFixture
) -> None:
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    async with opened(room) as live:
        speaker = await speaking(room, "all of it")
        other.execute("BEGIN IMMEDIATE")
        closing = asyncio.create_task(speaker.close("done"))
        async with asyncio.timeout(6 * BUSY_TIMEOUT):
            while "could not be stored; trying again" not in caplog.text:
                await asyncio.wait([closing], timeout=0.05)
        closing.cancel()
        await asyncio.wait([closing])
        other.rollback()
        other.close()
        await ends(live)
        assert [end["is"] for end in await endings(room)] == ["done"]
        assert live.users == 1


async def test_who_is_cancelled_while_it_begins_leaves_nothing_open(room: Room, url: str) -> None:
    other = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
    async with opened(room) as live:
        other.execute("BEGIN IMMEDIATE")
        opening = asyncio.create_task(RoomStream.open(room, Post([]), None))
        for _ in range(2):
            await asyncio.wait([opening], timeout=0.1)
            opening.cancel()
        await asyncio.wait([opening])
        other.rollback()
        other.close()
        async with asyncio.timeout(PATIENCE):
            while not await endings(room):
                pass
        await ends(live)
        assert [end["is"] for end in await endings(room)] == ["stopped"]
        assert live.users == 1


async def test_a_transform_that_fails_in_the_end_is_heard_of(room: Room) -> None:
    async def retell(content: str, chunk: str, done: bool) -> tuple[str, str]:
        if done:
            raise ZeroDivisionError
        return "markdown", content

    speaker = await speaking(room, "one", transform=retell)
    with pytest.raises(ZeroDivisionError):
        await speaker.close("done")
    (end,) = await endings(room)
    assert end["is"] == "failed" and end["error"].startswith("ZeroDivisionError")


async def test_the_author_of_a_private_stream_is_shown_its_end(room: Room) -> None:
    members = [(await room.add_member(name)).id for name in ("ann", "bob", "eve")]
    async with opened(room) as live:
        speaker = await speaking(room, "psst", member="ann", audience=["bob"])
        await speaker.close("done")
        await ends(live)
        end = next(event for event in await log_of(room) if event.kind == "streamed")
        seen = [live.state.shows(live.state.memberships[member], end) for member in members]
        assert seen == [True, True, False]


# ── what is kept ──


async def test_what_is_kept_grows_with_what_is_said(room: Room) -> None:
    """Each row is the difference from the one before, also after something was taken back."""
    speaker = await speaking(room, "x" * 10_000)

    def read(conn: Any) -> list[checkpoints.Checkpoint]:
        number, _ = find_room(conn, room.key) or (0, 0)
        return [*checkpoints.kept(conn, number, {})[speaker.seq].checkpoints]

    async def until(text: str) -> checkpoints.Checkpoint:
        async with asyncio.timeout(PATIENCE):
            while not (rows := await room.log.read(read)) or text not in str(rows[-1].parts):
                pass
        return rows[-1]

    await until("xxx")
    pieces = speaker.mark()
    await speaker.append([("markdown", "10 %")])
    last = await until("10 %")
    assert (last.parts, last.keep) == ([("", "10 %")], None)
    speaker.truncate(pieces)
    await speaker.append([("markdown", "20 %")])
    last = await until("20 %")
    assert (last.parts, last.keep) == ([("", "20 %")], 10_000)
    await speaker.close("done")
    assert await texts(room) == ["x" * 10_000 + "20 %"]
    assert not await room.log.read(lambda conn: checkpoints.overdue(conn, 2**62))


async def test_a_stream_of_this_process_is_never_taken_for_another_ones(room: Room) -> None:
    speaker = await speaking(room, "all that was said")
    async with opened(room) as live:
        await be_gone(room, speaker.seq)
        await Runtime.of(room.log).end_overdue()
        stream = live.streams.open[speaker.seq]
        number = await room.log.read(lambda conn: (find_room(conn, room.key) or (0, 0))[0])
        asked = iter([True])
        stop, stream.stop = stream.stop, None  # as long as it is not known whose it is

        def is_used() -> bool:
            return next(asked, False)

        watching = asyncio.create_task(
            watch_over(room.log, room.key, number, live.streams, is_used, asyncio.Event())
        )
        await asyncio.wait([watching], timeout=0)
        stream.stop = stop
        await watching
        assert speaker.text == "all that was said"
    await speaker.close("done")
    assert [end["is"] for end in await endings(room)] == ["done"]


# ── what is shown ──


class Reader:
    """
    Takes what it is owed of a room's streams whenever it is told that there is something new.

    Attributes
    ----------
    drawn
        The texts of the streams, as it draws them, by seq.
    """

    def __init__(self, live: LiveRoom, then: Callable[[], object] = lambda: None) -> None:
        self.drawn: dict[int, list[list[Any]]] = {}
        self._has: dict[int, Position] = {}
        self._live = live
        self._then = then
        self._told = asyncio.Event()
        self.leave = live.follow(self._look, first=True)

    def text(self, seq: int) -> str:
        return "".join(content for _, content in self.drawn.get(seq, []))

    async def sees(self, seq: int, text: str) -> None:
        """Wait until what it shows of a stream ends with a text."""
        async with asyncio.timeout(PATIENCE):
            while not self.text(seq).endswith(text):
                self._told.clear()
                await self._told.wait()

    def _look(self, events: Sequence[Event]) -> None:
        while True:
            streams, cursor = self._live.streams, self._live.state.seq
            frame, reached = streams.owed(self._has, cursor, lambda event: True)
            if frame is None:
                break
            self._has.update(reached)
            for id, more, *rest in json.loads(frame)["of"]:
                seq = seq_of(self._live.state.seed, id) or 0
                apply_chunks(self.drawn.setdefault(seq, []), more, *rest[:1])
        self._then()
        self._told.set()


def stored(room: Room) -> dict[int, str]:
    """What the database has of the room's open streams."""

    def read(conn: Any) -> dict[int, str]:
        number, _ = find_room(conn, room.key) or (0, 0)
        texts: dict[int, str] = {}
        for seq, each in checkpoints.kept(conn, number, {}).items():
            content = StreamContent(Event(seq, 0, "message", None, {}))
            for change in each.checkpoints:
                if change.keep is not None:
                    content.truncate_units(change.keep)
                content.add(change.parts, change.deps)
            texts[seq] = text_of(content.parts)
        return texts

    return room.log.read_now(read)


@asynccontextmanager
async def locked(room: Room) -> AsyncIterator[None]:
    """Another programme is in the middle of writing."""
    path = room.log.url.database
    assert path is not None
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.rollback()
        other.close()


async def test_what_is_shown_of_a_stream_is_stored_at_every_moment(room: Room) -> None:
    """Also while some of it is taken back, and said otherwise."""
    had: dict[int, set[str]] = {}
    wrong = list[str]()

    def compare() -> None:
        for seq, text in stored(room).items():
            had.setdefault(seq, {""}).add(text)
        wrong.extend(text for seq in had if (text := reader.text(seq)) not in had[seq])

    async with opened(room) as live:
        reader = Reader(live, compare)
        speakers = [await speaking(room) for _ in range(4)]
        async for n in ticks(500, 300):
            for at, speaker in enumerate(speakers):
                await speaker.append([("markdown", f"{at}.{n} ")])
            if n % 10 == 5:
                speakers[0].truncate(speakers[0].mark() - 3)
        for speaker in speakers:
            await reader.sees(speaker.seq, ".299 ")
        assert not wrong and all(len(texts) > 3 for texts in had.values())
        for speaker in speakers:
            await speaker.close("done")
        reader.leave()


async def test_the_log_has_when_each_piece_was_shown_and_what_was_taken_back(room: Room) -> None:
    """Also what a transform has dropped in the end; and what a server that was killed had shown."""

    async def hushed(text: str, come: str, is_all: bool) -> Part | None:
        return None if is_all else ("markdown", text)

    async with opened(room) as live:
        reader = Reader(live)
        steady, wavering = [await speaking(room) for _ in range(2)]
        dropped = await speaking(room, transform=hushed)
        for n in range(3):
            for speaker in (steady, wavering, dropped):
                await speaker.append([("markdown", f"\U0001f600{n} ")])
            for speaker in (steady, wavering, dropped):
                await reader.sees(speaker.seq, f"{n} ")
        await steady.append([("markdown", "never shown before the end")])
        wavering.truncate(1)
        await wavering.append([("markdown", "instead")])
        await reader.sees(wavering.seq, "instead")
        for speaker in (steady, wavering, dropped):
            await speaker.close("done")
        reader.leave()
    one, two, three = sorted(await endings(room), key=lambda data: data["of"])
    assert [units for _, units in one["pieces"]] == [4, 4, 4, len("never shown before the end")]
    assert [piece[1:] for piece in two["pieces"]] == [
        [4],
        [4],
        [4],
        [7, "\U0001f6001 \U0001f6002 "],
    ]
    assert (three["is"], three["parts"]) == ("withheld", [])
    assert three["pieces"][-1][1:] == [0, "\U0001f6000 \U0001f6001 \U0001f6002 "]
    for data in (one, two, three):
        times = [piece[0] for piece in data["pieces"]]
        assert times == sorted(times) and 0 <= times[0] <= times[-1] < PATIENCE * 1e3


async def test_what_a_server_that_is_gone_had_shown_and_when_is_in_the_log(room: Room) -> None:
    seq = await left_open(room)
    changes = [
        checkpoints.Checkpoint([("markdown", "one ")], piece=(40, 4)),
        checkpoints.Checkpoint([("", "two ")]),  # of an older version
        checkpoints.Checkpoint([("", "2 ")], keep=4, piece=(120, 2, "two ")),
    ]
    rows = [checkpoints.row_of((room.key, seq), change) for change in changes]
    await room.log.write(lambda conn, now: checkpoints.keep(conn, LONG_AGO, rows))
    await Runtime.of(room.log).end_overdue()
    [end] = await endings(room)
    assert (end["is"], end["parts"]) == ("interrupted", [["markdown", "one 2 "]])
    assert end["pieces"] == [[40, 4], [120, 2, "two "]]


async def test_a_tick_of_all_streams_is_one_job_and_a_piece_is_one_small_row(
    room: Room, lab: Lab
) -> None:
    """It is small however long the stream is already."""
    other = await lab.create_room("other", study="s")
    jobs, write = list[Any](), room.log.write

    def count(job: Any, *, keeps_books: bool = True) -> Any:
        jobs.append(job)
        return write(job, keeps_books=keeps_books)

    room.log.write = count
    async with opened(room) as one, opened(other) as two:
        speakers = [await speaking(each) for each in (room, other) * 10]
        readers = [Reader(live) for live in (one, two)]
        for n in range(5):
            for speaker in speakers:
                await speaker.append([("markdown", f"{n}" * 100)])
            for at, speaker in enumerate(speakers):
                await readers[at % 2].sees(speaker.seq, f"{n}" * 100)
        rows = room.log.read_now(lambda conn: conn.execute(sa.select(checkpoint.c.data)).all())
        assert 5 <= len(jobs) <= 6, "one may be a renewal of their leases"
        assert len(rows) == 20 * 5 and max(len(data) for (data,) in rows) < 150
        for reader in readers:
            reader.leave()
        for speaker in speakers:
            await speaker.close("done")


async def test_while_nothing_can_be_stored_nothing_is_shown_and_then_all_of_it(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    async with opened(room) as live:
        reader = Reader(live)
        speaker = await speaking(room, "before ")
        await reader.sees(speaker.seq, "before ")
        async with locked(room):
            await speaker.append([("markdown", "meanwhile ")])
            async with asyncio.timeout(PATIENCE):
                while caplog.text.count("nobody is shown it; trying again") < 1:
                    await speaker.append([("markdown", "more ")])
                    await asyncio.to_thread(int)
            assert reader.text(speaker.seq) == "before "
        await speaker.append([("markdown", "after")])
        await reader.sees(speaker.seq, "after")
        assert reader.text(speaker.seq) == speaker.text
        await speaker.close("done")
        assert await texts(room) == [speaker.text]
        reader.leave()


async def test_a_stream_that_cannot_be_stored_keeps_no_other_from_being_shown(room: Room) -> None:
    async with opened(room) as live:
        reader = Reader(live)
        speaker, other = await speaking(room), await speaking(room)
        # the developer's own UI, which no database takes
        await speaker.append([("html", "<b>")], [{"name": object()}])  # pyright: ignore[reportArgumentType]
        for n in range(3):
            await other.append([("markdown", f"{n} ")])
            await reader.sees(other.seq, f"{n} ")
        assert speaker.seq not in reader.drawn
        for each in (speaker, other):
            await each.close("done")
        assert [end["is"] for end in await endings(room)] == ["failed", "done"]
        reader.leave()


async def test_a_lease_is_renewed_until_the_end_is_stored(room: Room) -> None:
    """However long the last transform takes; afterwards there is none."""
    go_on, begun = asyncio.Event(), asyncio.Event()

    async def retell(content: str, chunk: str, done: bool) -> tuple[str, str]:
        if done:
            begun.set()
            await go_on.wait()
        return "markdown", content

    def until(conn: Any) -> int | None:
        number, _ = find_room(conn, room.key) or (0, 0)
        found = checkpoints.kept(conn, number, {}).get(speaker.seq)
        return found and found.until

    speaker = await speaking(room, "all", transform=retell)
    closing = asyncio.create_task(speaker.close("done"))
    await begun.wait()
    before = await room.log.read(until)
    assert before is not None
    async with asyncio.timeout(PATIENCE):
        while (await room.log.read(until) or 0) < before + 100_000:
            await asyncio.to_thread(int)
    go_on.set()
    await closing
    assert await room.log.read(until) is None


async def test_another_process_is_shown_what_is_stored_without_an_event(room: Room) -> None:
    """The room is open twice here, as in two processes: the second has no streams of its own."""
    async with opened(room) as live:
        speaker = await speaking(room, "one ")
        number = await room.log.read(lambda conn: (find_room(conn, room.key) or (0, 0))[0])
        said, seed = (lambda: shown.append(text_of(stream.parts))), live.state.seed
        elsewhere = OpenStreams(said, lambda: seed)
        shown, stream = list[str](), elsewhere.begin(live.streams.open[speaker.seq].opening)
        watching = asyncio.create_task(
            watch_over(room.log, room.key, number, elsewhere, lambda: True, asyncio.Event())
        )
        for word in ("two ", "three "):
            async with asyncio.timeout(PATIENCE):
                while not (shown and speaker.text == shown[-1]):
                    await asyncio.to_thread(int)
            await speaker.append([("markdown", word)])
        elsewhere.open.clear()
        await watching
        assert shown[0] == "one "
        await speaker.close("done")


# ── those whose server is gone ──


async def test_what_is_being_said_is_no_message_yet(room: Room) -> None:
    speaker = await speaking(room, "half")
    await room.post("meanwhile")
    assert await texts(room) == ["meanwhile"]
    await speaker.close("done")
    assert await texts(room) == ["half", "meanwhile"]


@pytest.mark.parametrize("audience", [None, ["ann"]])
async def test_what_a_server_that_is_gone_had_said_is_a_message(
    room: Room, audience: list[str] | None, caplog: pytest.LogCaptureFixture
) -> None:
    await room.add_member("ann")
    await left_open(room, "half ", "a word", audience=audience)
    await left_open(room)
    assert await texts(room) == ["half a word", ""]
    first, _ = await endings(room)
    assert first["is"] == "interrupted" and first.get("audience") == audience
    await room.messages()
    assert len(await endings(room)) == 2
    assert caplog.text.count("its server has ended") == 2


async def test_it_is_ended_in_a_room_that_nobody_opens(room: Room, lab: Lab) -> None:
    other = await lab.create_room("other", study="s")
    for each in (room, other):
        await left_open(each, "half a word")
    async with running(), asyncio.timeout(PATIENCE):
        while not (await endings(room) and await endings(other)):
            pass
    assert not await room.log.read(lambda conn: checkpoints.overdue(conn, 2**62))


async def test_a_promise_made_before_the_clock_was_set_back_is_as_long_as_others(
    room: Room,
) -> None:
    seq = await left_open(room, "half")
    await room.log.write(lambda conn, now: checkpoints.renew(conn, now + HOUR, [(room.key, seq)]))
    await Runtime.of(room.log).end_overdue()
    assert await endings(room) == [], "who speaks may be alive"
    soon = time.time_ns() // 1000 + leases.LEASE
    assert await room.log.read(lambda conn: checkpoints.overdue(conn, soon)) == [(room.key, seq)]


async def test_who_has_truly_ended_is_not_looked_at_for_ever(room: Room) -> None:
    """A process that was taken for dead keeps what it says, though the log has an end of it."""
    seq = await left_open(room, "half")
    await Runtime.of(room.log).end_overdue()
    more = checkpoints.row_of((room.key, seq), checkpoints.Checkpoint([("markdown", "more")]))
    await room.log.write(lambda conn, now: checkpoints.keep(conn, LONG_AGO, [more]))
    await Runtime.of(room.log).end_overdue()
    assert await texts(room) == ["half"]
    assert not await room.log.read(lambda conn: checkpoints.overdue(conn, 2**62))


@pytest.mark.parametrize("number", [1, 2, 3, 10])
async def test_so_many_messages_as_are_asked_for_are_given(room: Room, number: int) -> None:
    """What is no message yet, and what came to nothing, is not among them."""

    async def nothing(content: str, chunk: str, done: bool) -> None:
        return None

    for n in range(3):
        await room.post(str(n))
        await (await speaking(room, "hush", transform=nothing)).close("done")
        await speaking(room, "half")
    assert [end["is"] for end in await endings(room)] == ["withheld"] * 3
    assert [m.content for m in await room.messages(limit=number)] == ["0", "1", "2"][:number]
    assert [m.content for m in await room.messages(last=number)] == ["0", "1", "2"][-number:]
    after = (await room.messages(limit=1))[0].seq
    assert [m.content for m in await room.messages(after, number)] == ["1", "2"][:number]


async def test_keeping_goes_on_after_whatever_goes_wrong(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    speaker = await speaking(room, "half")
    # the developer's own UI, which no database takes
    await speaker.append([("html", "<b>")], [{"name": object()}])  # pyright: ignore[reportArgumentType]
    async with asyncio.timeout(PATIENCE):
        while caplog.text.count("is not stored, so nobody is shown it") < 2:
            await asyncio.to_thread(int)
    await speaker.close("done")
    (end,) = await endings(room)
    assert end["is"] == "failed"
