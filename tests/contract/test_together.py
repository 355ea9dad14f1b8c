"""Commands that change several logs, all or nothing."""

from __future__ import annotations

import asyncio

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Refused, Room
from shiny_labchat.domain.commands import (
    Arrive,
    DescribeLobby,
    DescribeStudy,
    EndPerson,
    RecordAnswer,
    StudyCommand,
)
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.logs import State, empty_state, fold_any_all
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Log, events_after, find_room, studies_with
from shiny_labchat.store.heads import load_head
from shiny_labchat.store.queries import append_events, row_of

from .failing import failing_to_store

STUDY = LogKey("s", "s", "study")
LOBBY = LogKey("s", "r", "lobby")
ROOM = LogKey("s", "r")
PEOPLE = ("a", "b", "c")


async def events_of(log: Log, key: LogKey) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await log.read(read)


async def state_of(log: Log, key: LogKey) -> State:
    """The state of a log, from all of its events."""
    return fold_any_all(empty_state(key.kind), await events_of(log, key))


async def group(lab: Lab, room: Room) -> Log:
    """Make the people of a room a group of a study with a lobby."""
    log = lab.log
    await room.add_member("c")
    await log.submit_together(DescribeStudy("s", "seed", {"contact": "a@b.org"}))
    await log.submit_together(DescribeLobby("s", "r", "seed", {"group_size": 3}))
    await asyncio.gather(*(log.submit_together(Arrive("s", each)) for each in PEOPLE))
    data = {"lobby": "r", "number": 1, "room": "r", "people": PEOPLE}
    await append(log, STUDY, "grouped", data)
    return log


async def append(log: Log, key: LogKey, kind: str, data: dict[str, object]) -> None:
    """Append an event as another process does that has a newer version."""

    def write(conn: sa.Connection, now: int) -> None:
        found = find_room(conn, key)
        assert found is not None
        number, seq = found
        append_events(
            conn, [row_of(number, Event(seq + 1, now, kind, None, data))], [(number, seq, seq + 1)]
        )

    await log.write(write)


async def test_a_room_a_lobby_and_a_study_of_one_id_do_not_meet(lab: Lab, room: Room) -> None:
    log = await group(lab, room)
    kinds = [type(await state_of(log, key)) for key in (STUDY, LOBBY, ROOM)]
    assert kinds == [StudyState, LobbyState, RoomState]
    assert [each.key for each in await lab.rooms()] == [ROOM]
    assert await log.read(lambda conn: studies_with(conn, "r")) == ["s"]
    assert not await lab.room_exists("s", study="s")


async def test_what_was_stored_is_read_again(lab: Lab, room: Room, reopen: Lab) -> None:
    log = await group(lab, room)
    await log.submit_together(RecordAnswer("s", "a", "age", 2**70))
    outcome = await reopen.log.submit_together(RecordAnswer("s", "a", "sure", 5))
    state = outcome.states[STUDY]
    assert isinstance(state, StudyState) and state.people["a"].data == {"age": 2**70, "sure": 5}


async def test_an_end_is_in_all_logs_or_in_none(lab: Lab, room: Room, url: str) -> None:
    """The log that would come last cannot be written, so the first ones are not either."""
    log = await group(lab, room)
    before = [await events_of(log, key) for key in (STUDY, ROOM)]
    with failing_to_store(url, "removed"):
        with pytest.raises(Exception, match="disk I/O"):
            await log.submit_together(EndPerson("s", "a", "withdrew"))
        assert [await events_of(log, key) for key in (STUDY, ROOM)] == before
    outcome = await log.submit_together(EndPerson("s", "a", "withdrew"))
    assert set(outcome.events) == {STUDY, ROOM}
    assert all(len(each) == 1 for each in outcome.events.values())


async def test_a_removal_and_the_end_that_follows_are_in_all_logs_or_in_none(
    lab: Lab, room: Room, url: str
) -> None:
    log = await group(lab, room)
    await append(log, ROOM, "grouped", {"lobby": "r", "number": 1})
    before = [await events_of(log, key) for key in (STUDY, ROOM)]
    with failing_to_store(url, "ended"):
        with pytest.raises(Exception, match="disk I/O"):
            await room.remove_member("a")
        assert [await events_of(log, key) for key in (STUDY, ROOM)] == before
    await room.remove_member("a")
    await room.remove_member("a")
    state, talk = await state_of(log, STUDY), await state_of(log, ROOM)
    assert isinstance(state, StudyState) and isinstance(talk, RoomState)
    ended = state.people["a"].ended
    assert ended is not None and ended.reason == "removed"
    assert [each.member for each in talk.members()] == ["b", "c"]


async def test_a_member_of_a_room_that_is_no_groups_is_removed_from_it_alone(
    lab: Lab, room: Room
) -> None:
    await room.remove_member("a")
    assert [each.id for each in await room.members()] == ["b"]
    assert await events_of(lab.log, STUDY) == []


async def test_a_form_that_is_sent_twice_is_one_answer(lab: Lab, room: Room, reopen: Lab) -> None:
    log = await group(lab, room)
    once = RecordAnswer("s", "a", "choice", "X", cid="form-1")
    sent = (log.submit_together(once), log.submit_together(once), reopen.log.submit_together(once))
    outcomes = await asyncio.gather(*sent)
    assert sorted(each.is_repeat for each in outcomes) == [False, True, True]
    assert len({each.events[STUDY][-1].seq for each in outcomes}) == 1
    await log.submit_together(EndPerson("s", "a", "complete"))
    assert (await log.submit_together(once)).is_repeat, "also once they have left"
    with pytest.raises(Refused, match="left"):
        await log.submit_together(RecordAnswer("s", "a", "choice", "Y", cid="form-2"))


async def test_a_form_that_ends_a_persons_part_is_one_answer_and_one_end(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    log = await group(lab, room)
    last = RecordAnswer("s", "a", "choice", "X", cid="form-1", end="complete")
    sent = (log.submit_together(last), log.submit_together(last), reopen.log.submit_together(last))
    outcomes = await asyncio.gather(*sent)
    assert sorted(each.is_repeat for each in outcomes) == [False, True, True]
    repeats = [each.events[STUDY][-1].kind for each in outcomes if each.is_repeat]
    assert repeats == ["recorded", "recorded"]
    assert (await log.submit_together(last)).is_repeat


async def test_two_processes_agree_on_who_was_left_behind(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    log = await group(lab, room)
    leaving = (
        log.submit_together(EndPerson("s", "a", "withdrew")),
        reopen.log.submit_together(EndPerson("s", "b", "idle")),
    )
    await asyncio.gather(*leaving)
    state, talk = await state_of(log, STUDY), await state_of(log, ROOM)
    assert isinstance(state, StudyState) and isinstance(talk, RoomState)
    reasons = [each.ended and each.ended.reason for each in state.people.values()]
    assert reasons == ["withdrew", "idle", "group_dissolved"]
    assert not talk.is_open and [each.member for each in talk.members()] == ["c"]


async def test_commands_to_one_log_and_to_several_share_a_transaction(lab: Lab, room: Room) -> None:
    log = await group(lab, room)
    several: list[StudyCommand] = [RecordAnswer("s", "a", "n", n) for n in range(50)]
    waiting = [log.submit_together(each) for each in several]
    await asyncio.gather(*waiting, *(room.post(f"{n}") for n in range(50)))
    assert len([e for e in await events_of(log, STUDY) if e.kind == "recorded"]) == 50
    assert len(await room.messages()) == 50


async def test_a_refused_command_changes_nothing_and_makes_no_log(lab: Lab, room: Room) -> None:
    with pytest.raises(Refused, match="does not know you"):
        await lab.log.submit_together(RecordAnswer("t", "a", "n", 1))
    assert await lab.log.read(lambda conn: find_room(conn, LogKey("t", "t", "study"))) is None


async def test_what_cannot_be_stored_is_refused_before_a_log_is_made(lab: Lab, room: Room) -> None:
    with pytest.raises(TypeError):
        await lab.log.submit_together(DescribeStudy("t", "seed", {"seed": object()}))
    assert await lab.log.read(lambda conn: find_room(conn, LogKey("t", "t", "study"))) is None


async def test_a_study_is_loaded_with_all_that_happened(lab: Lab, room: Room) -> None:
    log = await group(lab, room)
    head = await log.read(lambda conn: load_head(conn, STUDY))
    assert head is not None and head.state == await state_of(log, STUDY)


async def test_callbacks_for_all_rooms_hear_of_rooms_only(lab: Lab, room: Room) -> None:
    heard: list[str] = []
    done = asyncio.Event()

    @lab.on_message(rooms="*", name="all")
    async def _(room: Room, member: object, message: str) -> None:
        heard.append(room.id)
        done.set()

    await group(lab, room)
    await room.post("hello")
    await asyncio.wait_for(done.wait(), 30)
    kinds = sa.text(
        "SELECT DISTINCT room.kind FROM callback_room JOIN room ON room.key = callback_room.room"
    )
    assert await lab.log.read(lambda conn: conn.execute(kinds).scalars().all()) == ["room"]
    assert heard == ["r"]


async def test_who_follows_a_study_has_its_state_also_what_another_process_stored(
    lab: Lab, room: Room, reopen: Lab
) -> None:
    moved = asyncio.Event()
    logs = Runtime.of(lab.log).live.logs
    study, end = await logs.follow(STUDY, moved.set)
    assert study.state == StudyState()
    await group(lab, room)
    await reopen.log.submit_together(RecordAnswer("s", "a", "choice", "X"))
    async with asyncio.timeout(30):
        while True:
            moved.clear()  # before it is compared: what comes meanwhile is not overlooked
            if study.state == await state_of(lab.log, STUDY):
                break
            await moved.wait()
    again, end_again = await logs.follow(STUDY, moved.set)
    assert again is study
    end()
    end_again()


async def test_a_follower_that_fails_stops_nobody(
    lab: Lab, room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    told: list[int] = []

    def fail() -> None:
        raise ValueError("no")

    logs = Runtime.of(lab.log).live.logs
    _, end = await logs.follow(STUDY, fail)
    study, end_too = await logs.follow(STUDY, lambda: told.append(study.state.seq))
    await lab.log.submit_together(DescribeStudy("s", "seed", {}))
    await lab.log.settled()
    assert told == [1] and "a follower of study 's' failed" in caplog.text
    end()
    end_too()
