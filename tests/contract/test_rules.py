"""Rules for how people talk, over processes and restarts: turns, hours, limits, minima."""

from __future__ import annotations

import random
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Refused, Room, Rules
from shiny_labchat.domain.commands import (
    AdvanceRoom,
    Command,
    Disclose,
    Join,
    Open,
    PassTurn,
    Post,
    PressDone,
    Publish,
    Remove,
    Say,
    SetRules,
)
from shiny_labchat.domain.state import RoomState, fold_all
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import find_room, load_state
from tests.contract.test_clocks import closed, events_of, heard, kinds, timed, until


def say(member: str, n: int) -> Say:
    return Say(member, f"hi {n}", f"c{n}", "page")


async def code_of(room: Room, command: Command) -> str | None:
    """Why a command is refused; None: it is not."""
    try:
        await room.submit(command)
    except Refused as exc:
        return exc.code
    return None


async def loaded(room: Room) -> RoomState:
    def read(conn: sa.Connection) -> RoomState:
        found = find_room(conn, room.key)
        assert found is not None
        return load_state(conn, *found)

    return await room.log.read(read)


def at_rest(state: RoomState) -> RoomState:
    """A state with all allowances full, as it is when messages are not folded."""
    memberships = state.memberships
    for member, known in tuple(memberships.items()):
        memberships = memberships.changed(member, known._replace(tokens=float("inf"), spoke=0))
    return state._replace(memberships=memberships)


@pytest.fixture
async def processes(lab: Lab, reopen: Lab) -> AsyncIterator[tuple[LiveRooms, LiveRooms]]:
    """The live rooms of two processes, which know of each other by the database only."""
    both = Runtime.of(lab.log).live, Runtime.of(reopen.log).live
    yield both
    for each in both:
        await each.alive.stop(10)
        await each.clocks.stop(10)


COMMANDS: list[Callable[[int], Command]] = [
    *(lambda n, m=m: say(m, n) for m in "aabb"),
    lambda n: Post([("text", f"by a bot {n}")], member="bot"),
    lambda n: Post([("text", f"by the app {n}")], member="a"),
    lambda n: Say("b", f"held {n}", f"c{n}", "page", waits=True),
    lambda n: Publish(n, "b", "page", "hello", "HELLO"),
    lambda n: SetRules("a", Rules(rate=None, max_messages=6, cooldown=1e-6)),
    lambda n: PassTurn("b"),
    lambda n: Remove("b"),
    lambda n: Join("b", "h-b"),
    lambda n: Disclose("bot"),
    lambda n: PressDone("a"),
    lambda n: AdvanceRoom(frozenset("ab")),
    lambda n: Open(),
]
RULES: list[dict[str, Any]] = [
    {"turns": "round_robin", "turn_seconds": 1},
    {"turns": "code", "max_messages": 4},
    {"min_messages": 2, "min_characters": 20, "ends": "any_done"},
    {"max_characters": 60, "cooldown": 1e-6, "history": "joined"},
    {"hours": ["08:00", "20:00", "UTC"], "opens_at": "2020-01-01T00:00:00+00:00"},
    {"max_messages": 5, "min_seconds": 1, "closes_at": "2100-01-01T00:00:00+00:00"},
]


@pytest.mark.parametrize("number", range(12))
async def test_a_room_is_read_as_it_was_written_whatever_its_rules(
    lab: Lab, room: Room, number: int
) -> None:
    draw = random.Random(number)
    await room.submit(Join("bot", "h-bot", "assistant", is_bot=True, shown="participant"))
    for n in range(60):
        if n % 20 == 10:
            await timed(lab, room, **RULES[(number + n // 20) % len(RULES)])
        await code_of(room, draw.choice(COMMANDS)(n))
    state = await loaded(room)
    assert state == at_rest(fold_all(RoomState(), await events_of(lab.log, room.key)))
    assert state.is_limited or state.counts_from


async def test_two_processes_say_once_whose_turn_it_is(
    lab: Lab, room: Room, processes: tuple[LiveRooms, LiveRooms]
) -> None:
    opened = [await each.open(room.key) for each in processes]
    await timed(lab, room, turns="round_robin", turn_seconds=1.5)
    await heard(lab.log, "a", "b")
    await until(room, lambda state: state.turn.member == "b")
    await until(room, lambda state: state.turn.member == "a")
    turns = [e for e in await events_of(lab.log, room.key) if e.kind == "turn"]
    assert [(e.member, e.data["by"]) for e in turns[:3]] == [
        ("a", "start"),
        ("b", "time"),
        ("a", "time"),
    ]
    since = [e.data["since"] for e in turns[:3]]
    assert [after - before for before, after in zip(since, since[1:], strict=False)] == [
        1_500_000,
        1_500_000,
    ]
    for each in opened:
        each.leave()


async def test_the_turn_passes_with_a_message_whichever_process_stores_it(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    await timed(lab, room, turns="round_robin", turn_seconds=3600)
    again = reopen.room("r", study="s")
    assert await code_of(again, say("b", 1)) == "not_your_turn"
    assert await code_of(room, say("a", 2)) is None
    assert await code_of(room, say("a", 2)) is None, "a retry is the same message"
    assert await code_of(again, say("b", 3)) is None
    assert await code_of(room, say("b", 4)) == "not_your_turn"
    assert await code_of(room, say("a", 5)) is None


async def test_of_two_messages_at_once_only_as_many_are_stored_as_may_be(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    await timed(lab, room, max_messages=1)
    again = reopen.room("r", study="s")
    assert [await code_of(each, say("a", n)) for n, each in enumerate((room, again))] == [
        None,
        "too_many",
    ]


async def test_a_room_is_closed_at_its_moment_by_whichever_process_has_it(
    lab: Lab, room: Room, processes: tuple[LiveRooms, LiveRooms]
) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=2.5)
    await timed(lab, room, closes_at=moment)
    opened = [await each.open(room.key) for each in processes]
    await heard(lab.log, "a")
    assert await closed(room) == "time"
    [ended] = [e for e in await events_of(lab.log, room.key) if e.kind == "closed"]
    assert ended.at >= moment.timestamp() * 1e6
    assert (await kinds(room)).count("closed") == 1
    for each in opened:
        each.leave()


async def test_that_people_can_write_is_announced_when_they_can(
    lab: Lab, room: Room, processes: tuple[LiveRooms, LiveRooms]
) -> None:
    moment = datetime.now(UTC) + timedelta(seconds=2)
    await timed(lab, room, opens_at=moment)
    opened = [await each.open(room.key) for each in processes]
    await until(room, lambda state: state.shut.code == "not_yet")
    if time.time() < moment.timestamp() - 0.5:
        assert await code_of(room, say("a", 1)) == "not_yet"
    state = await until(room, lambda state: state.shut.code is None)
    assert state.shut.at >= moment.timestamp() * 1e6
    assert await code_of(room, say("a", 2)) is None
    assert await kinds(room) == ["hours", "hours"]
    for each in opened:
        each.leave()


async def test_rules_of_a_member_and_what_they_have_written_outlive_a_restart(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    await room.configure(rules=Rules(rate=None, max_characters=6), member="a")
    assert await code_of(room, say("a", 1)) is None
    again = reopen.room("r", study="s")
    assert await code_of(again, say("a", 2)) == "too_much"
    assert await code_of(again, say("b", 3)) is None
    assert (await again.state()).memberships["a"].characters == 4


async def test_the_room_cannot_be_given_a_title_for_one_member(room: Room) -> None:
    with pytest.raises(ValueError, match="for one member, give rules"):
        await room.configure(title="T", member="a")
    with pytest.raises(ValueError, match="duration=5 is a rule of the whole room"):
        await room.configure(rules=Rules(duration=5), member="a")


async def test_the_app_passes_the_turn(room: Room) -> None:
    await room.configure(rules=Rules(turns="code"))
    await room.pass_turn("a")
    assert await code_of(room, say("a", 1)) is None
    await room.pass_turn(None)
    assert await code_of(room, say("a", 2)) == "not_your_turn"
    with pytest.raises(Refused, match="not_member"):
        await room.pass_turn("nobody")
