"""The time of a room's people over processes: it starts, stands still and ends in the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Refused, Room, Rules
from shiny_labchat.domain.commands import Arrive, DescribeStudy, NotePresence, PressDone, Say
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.presence import Signs
from shiny_labchat.domain.state import RoomState, fold_all
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import EVER, Log, Person, events_after, find_room, load_state, note_seen
from shiny_labchat.store.clocks import _MAKING_STATE, _MOVED, clocks_moved
from shiny_labchat.store.queries import append_events, row_of
from tests.contract.test_together import STUDY, append, state_of
from tests.unit.store.conftest import asked_of

PATIENCE = 60


async def events_of(log: Log, key: LogKey) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await log.read(read)


async def timed(lab: Lab, room: Room, **rules: Any) -> None:
    await room.configure(rules=Rules(rate=None, **rules))


async def heard(log: Log, *people: str, ago: float = 0) -> None:
    """Store that pages of people were heard some seconds ago."""
    signs = Signs(-round(ago * 1e6) or -1, 0, 0)
    await log.write(lambda conn, now: note_seen(conn, {Person("s", p): signs for p in people}))


async def started(room: Room, ago: float) -> None:
    """Have the time of a room started some seconds ago, as a process did that has ended."""

    def write(conn: sa.Connection, now: int) -> None:
        found = find_room(conn, room.key)
        assert found is not None
        number, seq = found
        event = Event(seq + 1, now - round(ago * 1e6), "started", None, {"by": "code"})
        append_events(conn, [row_of(number, event)], [(number, seq, seq + 1)])

    await room.log.write(write)


async def until(room: Room, holds: Callable[[RoomState], bool]) -> RoomState:
    """Wait until the state of a room, as the log has it, is as it shall be."""
    moved = asyncio.Event()
    end = room.log.overhear(lambda news: moved.set())
    try:
        async with asyncio.timeout(PATIENCE):
            while True:
                moved.clear()
                if holds(state := await room.state()):
                    return state
                await moved.wait()
    finally:
        end()


async def closed(room: Room) -> str | None:
    return (await until(room, lambda state: not state.is_open)).reason


async def kinds(room: Room) -> list[str]:
    ignored = ("configured", "joined", "message", "presence")
    return [e.kind for e in await events_of(room.log, room.key) if e.kind not in ignored]


async def running(log: Log) -> list[LogKey]:
    """The rooms whose time runs, or is to start."""
    moved, _ = await log.read(partial(clocks_moved, since=EVER))
    return [each.key for each in moved if each.is_running]


class Page:
    """A page of a member that has the room open."""

    def __init__(self, member: str) -> None:
        self.member = member

    def ping(self) -> None:
        """It is there in any case."""


@pytest.fixture
async def processes(lab: Lab, reopen: Lab) -> AsyncIterator[tuple[LiveRooms, LiveRooms]]:
    """The live rooms of two processes, which know of each other by the database only."""
    both = Runtime.of(lab.log).live, Runtime.of(reopen.log).live
    yield both
    for each in both:
        await each.alive.stop(10)
        await each.clocks.stop(10)


Processes = tuple[LiveRooms, LiveRooms]


async def test_two_processes_start_and_close_a_room_once(
    lab: Lab, room: Room, processes: Processes
) -> None:
    await timed(lab, room, duration=1.5, starts="all_present", warn=(1,))
    opened = [await each.open(room.key) for each in processes]
    await heard(lab.log, "a", "b")
    assert await closed(room) == "time"
    assert await kinds(room) == ["started", "warned", "closed"]
    start, warned, ended = (
        e for e in await events_of(room.log, room.key) if e.kind in ("started", "warned", "closed")
    )
    assert warned.at >= start.at + 500_000 and ended.at >= start.at + 1_500_000
    for each in opened:
        each.leave()


async def test_a_room_waits_for_all_but_not_for_ever(
    lab: Lab, room: Room, processes: Processes
) -> None:
    await timed(lab, room, duration=300, starts="all_present", start_within=1)
    live = await processes[0].open(room.key)
    await heard(lab.log, "a")
    with pytest.raises(Refused, match="not begun"):
        await room.submit(Say("a", "hi", "c", "page"))

    await until(room, lambda state: bool(state.clock.started))
    (start,) = (e for e in await events_of(room.log, room.key) if e.kind == "started")
    assert start.data == {"by": "start_within", "present": ["a"]}
    await room.submit(Say("a", "hi", "c", "page"))
    live.leave()


async def test_nobody_writes_after_the_end_though_no_process_has_closed_the_room(
    lab: Lab, room: Room
) -> None:
    await timed(lab, room, duration=60, starts="code")
    await started(room, ago=60)
    with pytest.raises(Refused, match="closed"):
        await room.submit(Say("a", "hi", "c", "page"))
    with pytest.raises(Refused, match="closed"):
        await room.extend(10)
    assert (await room.state()).is_open
    await room.post("Thank you.")


async def test_a_room_whose_process_was_killed_is_closed_by_the_next(
    lab: Lab, room: Room, processes: Processes
) -> None:
    await timed(lab, room, duration=60, starts="code")
    other = await lab.create_room("never", study="s", rules=Rules(duration=1, starts="code"))
    await started(room, ago=61)
    assert await running(lab.log) == [room.key]
    await processes[1].clocks.resume()
    assert await closed(room) == "time"
    assert await running(lab.log) == []
    assert (await other.state()).is_open


def selects(asked: list[str]) -> list[str]:
    return [each for each in asked if each.startswith("SELECT")]


def read(asked: list[str]) -> int:
    """The number of rooms that were read."""
    return sum("ORDER BY event.seq" in each for each in selects(asked))


async def test_a_look_at_rooms_that_are_not_open_reads_only_what_has_changed(
    lab: Lab, room: Room, processes: Processes
) -> None:
    others = [await lab.create_room(f"other-{n}", study="s") for n in range(3)]
    for each in (room, *others):
        await timed(lab, each, duration=600, starts="code")
        await each.start()

    async def settled() -> None:
        await lab.log.settled()

    async def said() -> None:
        await room.post("It changes nothing.")

    async def extended() -> None:
        await others[0].extend(10)

    clocks = processes[1].clocks
    with asked_of(processes[1].log._database.engine()) as asked:
        await clocks.resume()
        assert read(asked) == 4, "all of them at first"
        for change, loaded, looks in ((settled, 0, 2), (said, 0, 3), (extended, 1, 3)):
            await change()
            asked.clear()
            await clocks.resume()
            assert read(asked) == loaded
            assert len(selects(asked)) == looks + 2 * loaded, "its presence and its state"


async def test_a_room_that_was_open_here_is_seen_to_after_that(
    lab: Lab, room: Room, processes: Processes
) -> None:
    await timed(lab, room, duration=1, starts="code")
    live = await processes[1].open(room.key)
    await room.start()
    await processes[1].clocks.resume()
    live.leave()
    processes[1].clocks.forget(live)
    async with asyncio.timeout(PATIENCE):
        while (await room.state()).is_open:
            await processes[1].clocks.resume()
    assert (await room.state()).reason == "time"


async def test_what_has_moved_is_found_by_indices(lab: Lab, room: Room, sqlite_file: Path) -> None:
    def plan(conn: sa.Connection, statement: Any, **values: int) -> list[str]:
        wanted = statement.params(**values)
        asked = wanted.compile(conn, compile_kwargs={"literal_binds": True})
        rows = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked}").fetchall()
        return [row[-1] for row in rows if "SUBQUERY" not in row[-1]]

    rooms = await lab.log.read(lambda conn: plan(conn, _MOVED, since=5))
    assert rooms[0] == "SEARCH room USING INDEX room_touched (touched>?)"
    assert all("USING COVERING INDEX event_clock" in each for each in rooms[1:]), rooms
    events = await lab.log.read(lambda conn: plan(conn, _MAKING_STATE, room=1, after=5))
    assert events == ["SEARCH event USING PRIMARY KEY (room=? AND seq>?)"], "those that are new"


async def test_an_extension_by_another_process_moves_the_end(
    lab: Lab, room: Room, reopen: Lab, processes: Processes
) -> None:
    await timed(lab, room, duration=1, starts="code")
    live = await processes[0].open(room.key)
    there = reopen.room("r", study="s")
    await there.state()  # to connect takes its time
    await room.start()
    await there.extend(1)
    assert await closed(room) == "time"
    events = {e.kind: e.at for e in await events_of(room.log, room.key)}
    assert events["closed"] >= events["started"] + 2_000_000
    live.leave()


async def test_rules_that_are_given_while_a_room_is_open_hold_there(
    lab: Lab, room: Room, processes: Processes
) -> None:
    live = await processes[0].open(room.key)
    await heard(lab.log, "b")
    await timed(lab, room, duration=0.5)
    assert await closed(room) == "time"
    live.leave()


async def test_who_leaves_is_not_waited_for(lab: Lab, room: Room, processes: Processes) -> None:
    await timed(lab, room, ends="all_done")
    live = await processes[0].open(room.key)
    await room.submit(PressDone("a"))
    assert (await room.state()).is_open
    await room.remove_member("b")
    assert await closed(room) == "all_done"
    live.leave()


async def test_the_time_stands_still_while_somebody_is_gone(
    lab: Lab, room: Room, processes: Processes
) -> None:
    """Their page was last heard long ago, and then again."""
    await timed(lab, room, duration=300, on_gone="wait", grace=10)
    live = await processes[0].open(room.key)
    live.signs.come(Page("a"))
    await heard(lab.log, "b", ago=12)
    assert (await until(room, lambda state: bool(state.clock.paused))).clock.missing == ("b",)
    assert await kinds(room) == ["started", "paused"]
    await heard(lab.log, "b")
    state = await until(room, lambda state: not state.clock.paused)
    assert state.clock.shift > 0 and (await kinds(room))[-1] == "resumed"
    live.leave()


async def test_a_group_is_dissolved_in_all_logs_when_somebody_is_gone(
    lab: Lab, room: Room, processes: Processes
) -> None:
    log = lab.log
    await timed(lab, room, duration=300, on_gone="close", grace=10)
    await log.submit_together(DescribeStudy("s", "seed", {}))
    for person in ("a", "b"):
        await log.submit_together(Arrive("s", person))
    group = {"lobby": "r", "number": 1, "room": "r", "people": ("a", "b")}
    for key in (STUDY, room.key):
        await append(log, key, "grouped", group)
    await append(log, room.key, "shown", {})
    opened = [await each.open(room.key) for each in processes]
    for each in opened:
        each.signs.come(Page("a"))
    assert await closed(room) == "group_dissolved"
    state: Any = await state_of(log, STUDY)
    assert [each.ended and each.ended.reason for each in state.people.values()] == [
        "group_dissolved",
        "idle",
    ]
    assert (await kinds(room))[-2:] == ["removed", "closed"]
    for each in opened:
        each.leave()


async def test_messages_are_counted_also_after_a_restart(lab: Lab, room: Room, reopen: Lab) -> None:
    await room.submit(Say("a", "before", "c0", "page"))
    await timed(lab, room, duration=300, min_messages=2)
    for n, text in enumerate(("one", '"page": two'), start=1):
        await room.submit(Say("a", text, f"c{n}", "page"))
    await room.post('{"page": 1, "page":1}', author="b")
    await room.submit(NotePresence("a", "here"))
    again = reopen.room("r", study="s")
    assert [each.said for each in (await again.state()).members()] == [2, 0]
    with pytest.raises(Refused, match="go on"):
        await again.submit(PressDone("b"))
    await again.submit(PressDone("a"))
    assert (await room.state()).done == ("a",)


async def test_a_room_with_a_clock_is_read_as_it_was_written(
    lab: Lab, room: Room, processes: Processes
) -> None:
    await timed(lab, room, duration=300, starts="all_present", warn=(299.9,), on_gone="wait")
    live = await processes[0].open(room.key)
    await heard(lab.log, "a", "b")
    await until(room, lambda state: state.clock.warned is not None)
    await room.extend(7)

    def read(conn: sa.Connection) -> Any:
        found = find_room(conn, room.key)
        assert found is not None
        return load_state(conn, *found)

    loaded = await lab.log.read(read)
    assert loaded.clock.started and loaded.clock.shift == 7_000_000
    assert loaded == fold_all(type(loaded)(), await events_of(lab.log, room.key))
    live.leave()


async def test_a_room_without_rules_for_its_time_is_not_seen_to(
    lab: Lab, room: Room, processes: Processes
) -> None:
    clocks = processes[0].clocks
    live = await processes[0].open(room.key)
    clocks.note(live)
    assert (live in clocks._timers, clocks._next_look) == (False, None)
    await timed(lab, room, duration=300)
    await live.catch_up()
    clocks.note(live)
    assert live in clocks._timers and clocks._next_look is not None
    live.leave()


async def test_the_condition_of_a_room_is_known_while_it_is_open(
    lab: Lab, room: Room, processes: Processes
) -> None:
    await append(lab.log, room.key, "grouped", {"lobby": "l", "condition": {"leader": "yes"}})
    assert room.condition is None
    live = await processes[0].open(room.key)
    assert room.condition == {"leader": "yes"}
    live.leave()
    assert lab.room("r", study="s").in_condition("calm").condition == "calm"
