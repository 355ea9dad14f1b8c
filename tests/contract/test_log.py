"""What every backend of the log holds."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event as sa_event

from shiny_labchat import Lab, Refused, Room, StoreError
from shiny_labchat.bus import Bus, transport_for
from shiny_labchat.domain.commands import (
    Close,
    Command,
    Ending,
    EndStream,
    Post,
    Record,
    Remove,
    Say,
)
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import (
    Committed,
    Grant,
    Outcome,
    events_after,
    find_room,
    issue,
    look_up,
    parse,
    room_number,
)
from shiny_labchat.store.log import Log
from shiny_labchat.store.queries import ends_of, whole_at
from tests.support.server import free_port

from . import elsewhere
from .hearing import heard_in


async def log_of(room: Room) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, room.key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await room.log.read(read)


async def together(room: Room, *commands: Command) -> list[Outcome | BaseException]:
    """Put commands into the queue at one moment, so that they share transactions."""
    waiting = [room.log.submit(room.key, command) for command in commands]
    return await asyncio.wait_for(asyncio.gather(*waiting, return_exceptions=True), 60)


def say(member: str, n: int | str, text: str = "hi") -> Say:
    return Say(member, text, f"{n}", "page")


def seqs(events: list[Event]) -> list[int]:
    return [event.seq for event in events]


def without_buckets(state: RoomState) -> RoomState:
    """A state but for the allowances, which are full again after a restart."""
    seats = {m: s._replace(tokens=0.0, spoke=0) for m, s in state.memberships.items()}
    return state._replace(memberships=seats)


# ── order ──


async def test_many_tasks_at_once_leave_no_gap(room: Room) -> None:
    async def talk(member: str, start: int) -> None:
        for n in range(start, start + 20):
            await room.submit(say(member, n))

    await asyncio.gather(*(talk("ab"[k % 2], k * 20) for k in range(20)))
    assert seqs(await log_of(room)) == list(range(1, 404))


async def test_what_one_puts_in_the_queue_comes_out_in_order(room: Room) -> None:
    outcomes = await together(room, *(say("a", n, text=f"{n}") for n in range(500)))
    assert all(isinstance(outcome, Outcome) for outcome in outcomes)
    assert [m.content for m in await room.messages()] == [f"{n}" for n in range(500)]


async def test_an_answer_comes_after_it_is_in_the_log(room: Room, reopen: Lab) -> None:
    other = reopen.room("r", study="s")
    for n in range(20):
        outcome = await room.submit(say("a", n))
        assert (await log_of(other))[-1].seq == outcome.events[0].seq


async def test_rooms_number_on_their_own(lab: Lab) -> None:
    rooms = [lab.room(f"r{k}", study="s") for k in range(5)]
    await asyncio.gather(*(room.post(f"{n}") for n in range(20) for room in rooms))
    for room in rooms:
        assert seqs(await log_of(room)) == list(range(1, 22))


# ── once ──


async def test_the_same_message_in_one_batch_is_stored_once(room: Room) -> None:
    outcomes = await together(room, *(say("a", "same") for _ in range(50)))
    seen = {o.events[0].seq for o in outcomes if isinstance(o, Outcome)}
    assert len(seen) == 1 and len(await room.messages()) == 1


async def test_the_same_message_later_is_answered_with_the_first(room: Room, reopen: Lab) -> None:
    first = await room.submit(say("a", 1, "first"))
    for where in (room, reopen.room("r", study="s")):
        again = await where.submit(say("a", 1, "other"))
        assert again.is_repeat and again.events[0].seq == first.events[0].seq
    assert [m.content for m in await room.messages()] == ["first"]


async def test_who_repeats_a_message_that_takes_two_numbers_is_answered_with_its_own(
    room: Room, reopen: Lab
) -> None:
    post = Post([("text", "Hello")], "user", "a", cid="1", hides_composing=True)
    outcomes = await together(room, post, post)
    outcomes.append(await reopen.room("r", study="s").submit(post))
    assert [(e.kind, e.seq) for e in (await log_of(room))[-2:]] == [("composed", 4), ("message", 5)]
    assert [o.events[-1].seq for o in outcomes if isinstance(o, Outcome)] == [5, 5, 5]


async def test_a_repeat_is_answered_even_when_the_rules_say_no_by_now(room: Room) -> None:
    first = await room.submit(say("a", 1))
    await room.close()
    assert (await room.submit(say("a", 1))).events[0].seq == first.events[0].seq


async def test_duplicates_harm_nobody_elses_message(room: Room) -> None:
    await room.submit(say("a", 0))
    mixed = [say("a", 0), say("b", 0), say("a", 1), say("a", 1), say("b", 1), say("a", 0)]
    outcomes = await together(room, *mixed)
    repeats = [o.is_repeat for o in outcomes if isinstance(o, Outcome)]
    assert repeats == [True, False, False, True, False, True]
    assert seqs(await log_of(room)) == list(range(1, 8))


# ── one harms no other ──


async def test_a_refusal_touches_no_other_in_its_batch(room: Room) -> None:
    outcomes = await together(
        room, say("a", 1), say("x", 2), say("a", 3, ""), Post([("text", "\0")]), say("b", 4)
    )
    codes = [o.code if isinstance(o, Refused) else None for o in outcomes]
    assert codes == [None, "not_member", "empty", "bad_text", None]
    assert len(await room.messages()) == 2


@pytest.mark.parametrize(
    "odd",
    [
        Say("a", "hi", "\ud800", "p"),
        Say("a", "hi", "odd", "\ud800"),
        Post([("text", "hi")], cid="\udfff"),
        Post([("text", "hi")], icon="\ud800"),
        Record("k", "\ud800"),
        Record("k", ...),
        Record("\ud800", 1),
    ],
    ids=repr,
)
async def test_what_cannot_be_stored_touches_no_other_in_its_batch(
    room: Room, odd: Command
) -> None:
    outcomes = await asyncio.wait_for(together(room, say("a", 1), odd, say("b", 2)), 15)
    assert isinstance(outcomes[0], Outcome) and isinstance(outcomes[2], Outcome)
    assert isinstance(outcomes[1], Exception)
    assert len(await room.messages()) == 2


async def test_a_job_that_fails_touches_no_other_in_its_batch(room: Room) -> None:
    def fail(conn: sa.Connection, now: int) -> None:
        raise ZeroDivisionError

    before = room.log.submit(room.key, say("a", 1))
    failing = room.log.write(fail)
    after = room.log.submit(room.key, say("b", 2))
    with pytest.raises(ZeroDivisionError):
        await failing
    assert (await before).events and (await after).events
    assert len(await room.messages()) == 2


@pytest.mark.parametrize(
    "broken", ["INSERT INTO room VALUES (NULL)", "SELECT nothing", "INSERT INTO token VALUES"]
)
async def test_a_job_whose_statement_fails_leaves_nothing_and_touches_no_other(
    room: Room, broken: str
) -> None:
    def fail(conn: sa.Connection, now: int) -> None:
        issue(conn, "invite", Grant("nobody"), now, raw="left")
        conn.exec_driver_sql(broken)

    before = room.log.submit(room.key, say("a", 1))
    failing = room.log.write(fail)
    after = room.log.submit(room.key, say("b", 2))
    with pytest.raises(StoreError):
        await failing
    assert (await before).events and (await after).events
    assert await room.log.read(lambda conn: look_up(conn, "invite", "left")) is None


async def test_who_gives_up_waiting_touches_no_other(room: Room) -> None:
    waiting = [room.log.submit(room.key, say("a", n)) for n in range(10)]
    waiting[3].cancel()
    done = await asyncio.gather(*waiting, return_exceptions=True)
    assert sum(isinstance(o, Outcome) for o in done) == 9
    assert len(await room.messages()) == 10


async def test_after_a_removal_in_the_same_batch_there_is_no_message(room: Room) -> None:
    outcomes = await together(
        room, say("a", 1), Remove("a"), say("a", 2), say("b", 3), Close(), say("b", 4)
    )
    codes = [o.code if isinstance(o, Refused) else None for o in outcomes]
    assert codes == [None, None, "removed", None, None, "closed"]
    assert [m.member for m in await room.messages()] == ["a", "b"]


# ── telling ──


async def test_a_listener_hears_all_in_order_after_it_is_stored(room: Room) -> None:
    heard: list[Event] = []
    all_heard = asyncio.Event()

    def listen(news: list[Committed]) -> None:
        for committed in news:
            heard.extend(committed.events)
        if heard[-1].seq == 203:
            all_heard.set()

    room.log.listen(listen)
    room.log.watch(room.key)
    await together(room, *(say("ab"[n % 2], n) for n in range(200)))
    await asyncio.wait_for(all_heard.wait(), 10)
    assert seqs(heard) == list(range(4, 204))


async def test_a_room_nobody_watches_is_told_to_nobody(room: Room) -> None:
    heard: list[Committed] = []
    room.log.listen(heard.extend)
    await room.post("hi")
    room.log.watch(room.key)
    room.log.unwatch(room.key)
    await room.post("hi")
    assert heard == []


async def test_what_another_process_stores_is_heard_here(room: Room) -> None:
    live = await Runtime.of(room.log).live.open(room.key)
    heard = heard_in(live)
    elsewhere.said_by(elsewhere.start(elsewhere.post, str(room.log.url), "from afar"))
    event = await asyncio.wait_for(heard.get(), 10)
    assert event.data["parts"] == [["text", "from afar"]]
    assert live.state.seq == event.seq


async def test_here_and_there_are_heard_in_one_order(room: Room) -> None:
    live = await Runtime.of(room.log).live.open(room.key)
    heard: list[Event] = []
    live.follow(heard.extend)
    writer = elsewhere.start(elsewhere.write, str(room.log.url), "b", "200")
    for n in range(200):
        await room.submit(say("a", n))
    assert await asyncio.to_thread(elsewhere.said_by, writer) == "200"
    await live.catch_up()
    assert seqs(heard) == list(range(4, 404))
    assert without_buckets(live.state) == without_buckets(await room.state())


# ── the state ──


async def test_a_state_read_again_is_the_state_that_was_decided(room: Room, reopen: Lab) -> None:
    await room.add_member("c", "Player {n}", "observer")
    await together(room, say("a", 1), Remove("b"), Record("k", [1]), Close("enough"))
    await room.clear("a")
    outcome = await room.submit(Post([("text", "bye")]))
    read = await reopen.room("r", study="s").state()
    assert without_buckets(read) == without_buckets(outcome.state)
    folded = RoomState()
    for event in await log_of(room):
        folded = fold(folded, event)
    assert without_buckets(folded) == without_buckets(outcome.state)


async def test_everything_is_there_after_a_restart(room: Room, reopen: Lab) -> None:
    said = [await room.post(f"é🦦{n}\n", id=f"{n}") for n in range(10)]
    room.log.close()
    assert await reopen.room("r", study="s").messages() == said


async def test_no_room_is_read_while_others_may_not_write(
    sqlite_file: Path, room: Room, reopen: Lab
) -> None:
    asked: list[list[str]] = []

    def trace(raw: sqlite3.Connection, record: object) -> None:
        asked.append([])
        raw.set_trace_callback(asked[-1].append)

    sa_event.listen(sa.Pool, "connect", trace)
    try:
        await together(reopen.room("r", study="s"), say("a", 1), say("b", 2))
    finally:
        sa_event.remove(sa.Pool, "connect", trace)
    (writing,) = [each for each in asked if "BEGIN IMMEDIATE" in each]
    assert any(map(_read_rooms, asked)) and not _read_rooms(writing)


def _read_rooms(asked: list[str]) -> bool:
    """Whether statements have read the events of a room, and not only one with some id."""
    return any("FROM event" in each and "ORDER BY event.seq" in each for each in asked)


async def test_who_waits_until_all_is_settled_comes_last(room: Room, reopen: Lab) -> None:
    other = reopen.room("r", study="s")
    said = [other.log.submit(other.key, say("a", n)) for n in range(3)]
    await other.log.settled()
    assert all(each.done() for each in said)


# ── the ends of streams ──


@pytest.mark.parametrize("ends", [(), ("done",), ("interrupted",), ("interrupted", "stopped")])
async def test_a_stream_is_whole_from_its_first_end_on(room: Room, ends: Sequence[Ending]) -> None:
    other, seq = [(await room.submit(Post([], is_live=True))).events[0].seq for _ in range(2)]
    written = [(await room.submit(EndStream(seq, [], how))).events[0].seq for how in ends]
    await room.submit(EndStream(other, [], "done"))

    def read(conn: sa.Connection) -> tuple[list[Event], Event]:
        number = room_number(conn, room.key)
        return ends_of(conn, number, seq), whole_at(conn, number, seq)

    found, whole = await room.log.read(read)
    assert [(end.seq, end.data["is"]) for end in found] == list(zip(written, ends, strict=True))
    assert whole.seq == (written or [seq])[0]


# ── several processes ──


async def test_two_processes_and_a_removal_leave_no_gap_and_no_late_message(room: Room) -> None:
    live = await Runtime.of(room.log).live.open(room.key)
    said, enough = Counter[str | None](), asyncio.Event()

    def count(events: Sequence[Event]) -> None:
        said.update(event.member for event in events)
        if min(said["a"], said["b"]) >= 100:
            enough.set()

    live.follow(count)
    counts = {"a": "50000", "b": "1000"}  # a goes on until it may not
    writers = [elsewhere.start(elsewhere.write, str(room.log.url), *w) for w in counts.items()]
    await asyncio.wait_for(enough.wait(), 60)
    await room.remove_member("a")
    by_a, by_b = [int(await asyncio.to_thread(elsewhere.said_by, w)) for w in writers]
    log = await log_of(room)
    assert seqs(log) == list(range(1, len(log) + 1))
    removal = next(event.seq for event in log if event.kind == "removed")
    messages = {m: [e.seq for e in log if (e.kind, e.member) == ("message", m)] for m in "ab"}
    assert len(messages["a"]) == by_a < 50_000 and max(messages["a"]) < removal
    assert len(messages["b"]) == by_b == 1000


async def test_each_processs_messages_stay_in_the_order_it_said_them(room: Room) -> None:
    writers = [elsewhere.start(elsewhere.write, str(room.log.url), m, "200") for m in "ab"]
    for writer in writers:
        await asyncio.to_thread(elsewhere.said_by, writer)
    for member in "ab":
        said = [m.content for m in await room.messages() if m.member == member]
        assert said == [f"{member}{n}" for n in range(200)]


def test_four_processes_may_open_a_fresh_database_at_once(url: str) -> None:
    openers = [elsewhere.start(elsewhere.open_fresh, url, member) for member in "abcd"]
    for opener in openers:
        assert opener.line() == "ready\n"
    for opener in openers:
        opener.tell("go\n")
    for opener in openers:
        elsewhere.said_by(opener)
    members = asyncio.run(_members_of(url))
    assert sorted(map(str, members)) == ["a", "b", "c", "d"]


async def _members_of(url: str) -> list[str | None]:
    lab = Lab(url)
    try:
        return [message.member for message in await lab.room("r", study="s").messages()]
    finally:
        lab.log.close()


async def test_after_a_kill_every_acknowledged_message_is_there_once(room: Room) -> None:
    writer = elsewhere.start(elsewhere.acknowledge, str(room.log.url), "a")
    acknowledged = {int(await asyncio.to_thread(writer.line)) for _ in range(300)}
    rest = await asyncio.to_thread(writer.kill)
    acknowledged |= {int(line) for line in rest.split("\n")[:-1]}
    assert len(acknowledged) >= 300
    await together(room, *(say("a", n, f"text {n}") for n in range(max(acknowledged) + 1)))
    log = await log_of(room)
    assert seqs(log) == list(range(1, len(log) + 1))
    texts = [message.content for message in await room.messages()]
    assert len(texts) == len(set(texts))
    assert {f"text {n}" for n in acknowledged} <= set(texts)


def test_nothing_is_lost_or_asked_at_a_normal_end(url: str) -> None:
    command = [sys.executable, "-m", elsewhere.__name__, "post", url, "hi"]
    done = subprocess.run(command, cwd=elsewhere.ROOT, capture_output=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    assert asyncio.run(_members_of(url)) == [None]


async def test_what_is_written_while_a_log_closes_is_stored_and_no_thread_goes_on(
    url: str, room: Room
) -> None:
    """Its bus writes the first time, in a thread of its own, to know what the lab is called."""
    log, writing = Log(parse(url)), asyncio.Event()
    loop, stored = asyncio.get_running_loop(), list[int]()

    async def name() -> str:
        after = 0
        while after < 20:
            stored.append(await log.write(lambda conn, now: now))
            loop.call_soon_threadsafe(writing.set)
            after += log.is_closed
        return "lab"

    log.use_bus(Bus("nobody", transport_for(f"nats://127.0.0.1:{free_port()}"), name))
    log.watch(room.key)
    await writing.wait()
    await asyncio.to_thread(log.close)
    assert len(stored) > 20 and not log.is_writing


async def test_several_fresh_databases_may_be_opened_at_once(tmp_path: Path) -> None:
    labs = [Lab(f"sqlite:///{tmp_path}/{n}.db") for n in range(6)]
    await asyncio.gather(*(lab.create_room("r") for lab in labs))
    for lab in labs:
        assert [room.id for room in await lab.rooms()] == ["r"]
        lab.log.close()
