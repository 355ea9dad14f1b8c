"""The rules for the time of a room's people."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    AdvanceRoom,
    Close,
    Command,
    Configure,
    Extend,
    Join,
    Open,
    Post,
    PressDone,
    Publish,
    Remove,
    Say,
    Start,
)
from shiny_labchat.domain.due import PRESENT, advance_by, dissolving, needs_signs, next_due
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.limits import Gate, gate_of
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import RoomState, fold_all
from tests.unit.pure_room import SECOND, PureRoom

ALL = frozenset("ab")


def timed(duration: float | None = 300, **rules: Any) -> PureRoom:
    return PureRoom(rules=Rules(rate=None, duration=duration, **rules), members="ab")


def running(duration: float = 300, **rules: Any) -> PureRoom:
    room = timed(duration, **rules)
    advance(room, "ab")
    assert room.state.clock.started == room.now
    return room


def advance(room: PureRoom, present: str = "", gone: str = "", after: float = 0) -> list[str]:
    """The kinds of events of what is due after some seconds."""
    room.now += round(after * SECOND)
    return [e.kind for e in room.does(AdvanceRoom(frozenset(present), frozenset(gone)))]


def event(room: PureRoom, kind: str, **data: Any) -> Event:
    """The next event of a room, as a lobby's command makes it."""
    return Event(room.state.seq + 1, room.now, kind, None, data)


def reason(room: PureRoom) -> str | None:
    assert not room.state.is_open
    return room.state.reason


# ── the start ──


def test_the_time_starts_when_all_are_there():
    room = timed(starts="all_present")
    assert room.says("a") == "not_yet"
    assert advance(room, "a") == ["waiting"]
    assert advance(room, "a", after=29) == []
    assert advance(room, "ab") == ["started"]
    assert room.log[-1].data == {"by": "all_present", "present": ["a", "b"]}
    assert room.says("a") is None


def test_it_starts_with_who_is_there_when_the_others_take_too_long():
    room = timed(starts="all_present", start_within=20)
    advance(room, "b")
    assert next_due(room.state) == room.now + 20 * SECOND
    assert advance(room, "b", after=20) == ["started"]
    assert room.log[-1].data == {"by": "start_within", "present": ["b"]}


def test_a_group_waits_from_when_it_is_shown_its_room():
    room = timed(starts="all_present")
    room.takes(event(room, "grouped", lobby="l", condition="calm"))
    assert advance(room, "ab") == [] and room.says("a") == "not_yet"
    room.takes(event(room, "shown"))
    assert next_due(room.state) == room.now + 30 * SECOND
    assert advance(room, after=30) == ["started"], "also if nobody has come"


def test_nobody_writes_before_the_room_is_shown_to_its_group():
    room = timed(None)
    room.takes(event(room, "grouped", lobby="l"))
    assert room.says("a") == "not_yet" and room.refuses(PressDone("a")) == "not_yet"
    room.does(Post([("text", "Welcome")]))
    room.takes(event(room, "shown"))
    assert room.says("a") is None


def test_a_room_that_is_open_starts_with_the_first_who_comes():
    room = timed()
    assert advance(room) == [] and room.says("a") is None
    assert advance(room, "a") == ["started"]


def test_bots_and_observers_neither_start_nor_delay_it():
    room = timed(starts="all_present")
    room.does(Join("bot", "h-bot", is_bot=True))
    room.does(Join("o", "h-o", "observer"))
    assert [each.member for each in room.state.people()] == ["a", "b"]
    assert advance(room, "ab") == ["started"]
    assert timed().does(AdvanceRoom(frozenset({"bot"}))) == []


def test_the_first_message_of_a_person_starts_it():
    room = timed(starts="first_message")
    room.does(Join("bot", "h-bot", role="assistant", is_bot=True))
    room.does(Post([("text", "hello")], member="bot"))
    room.does(Post([("text", "in the name of a")], member="a"))
    assert not room.state.clock.started
    events = room.does(Say("a", "hi", "c", "page"))
    assert [each.kind for each in events] == ["started", "message"]
    assert events[0].at == events[1].at == room.state.clock.started
    assert room.does(Say("a", "hi", "c2", "page"))[0].kind == "message"


def test_a_held_message_starts_it_when_it_is_published():
    room = timed(starts="first_message")
    (held,) = room.does(Say("a", "hi", "c", "page", waits=True))
    assert held.kind == "submitted"
    events = room.does(Publish(held.seq, "a", "page", "hi", "HI"))
    assert [each.kind for each in events] == ["started", "message"]


def test_code_starts_it_once_and_only_where_there_is_a_clock():
    room = timed(starts="code")
    assert advance(room, "ab", after=1000) == [] and room.says("a") == "not_yet"
    assert [each.kind for each in room.does(Start())] == ["started"]
    assert room.does(Start()) == [] and room.says("a") is None
    assert timed(None).refuses(Start()) == "no_clock"
    room.does(Close())
    assert room.refuses(Start()) == "closed"


# ── the end ──


def test_nobody_writes_after_the_end_whoever_has_noticed_it():
    room = running(300)
    room.now += 300 * SECOND - 1
    assert room.says("a") is None
    room.now += 1
    assert room.state.is_open and room.says("a") == "closed"
    assert room.refuses(Post([("text", "hi")], member="a")) == "closed"
    assert room.refuses(Publish(1, "a", "page", "hi", "hi")) == "closed"
    room.does(Post([("text", "Thank you.")]))
    assert advance(room) == ["closed"] and reason(room) == "time"
    assert advance(room, after=1) == []


def test_warnings_come_once_and_not_for_what_is_long_over():
    room = running(300, warn=(60, 10))
    assert advance(room, after=239) == []
    assert next_due(room.state) == room.now + SECOND
    assert advance(room, after=1) == ["warned"] and room.log[-1].data == {"left": 60}
    assert advance(room) == []
    assert advance(room, after=55) == ["warned"] and room.log[-1].data == {"left": 10}
    assert next_due(room.state) == room.now + 5 * SECOND
    short = running(30, warn=(60, 10))
    assert advance(short) == [] and advance(short, after=20) == ["warned"]


def test_an_extension_moves_the_end_and_warns_again():
    room = running(100, warn=(60,))
    assert advance(room, after=50) == ["warned"]
    room.does(Extend(100 * SECOND))
    assert room.state.deadline == room.state.clock.started + 200 * SECOND
    assert advance(room, after=89) == [] and advance(room, after=1) == ["warned"]
    assert advance(room, after=60) == ["closed"]
    assert room.refuses(Extend(SECOND)) == "closed"
    assert timed(None, starts="code").refuses(Extend(SECOND)) == "no_clock"


def test_an_extension_after_the_end_comes_too_late_even_if_nobody_has_noticed_it():
    room = running(100)
    room.now += 100 * SECOND
    assert room.refuses(Extend(SECOND)) == "closed"


def test_an_extension_before_the_start_holds_too():
    room = timed(100, starts="code")
    room.does(Extend(50 * SECOND))
    room.does(Start())
    assert room.state.deadline == room.now + 150 * SECOND


def test_another_duration_holds_at_once():
    room = running(100)
    room.does(Configure("", rules=Rules(rate=None, duration=50)))
    assert advance(room, after=50) == ["closed"]


def test_the_time_of_a_room_that_is_opened_again_begins_anew():
    room = running(100, ends="any_done")
    room.does(PressDone("a"))
    assert reason(room) == "any_done"
    room.does(Open())
    assert room.state.done == () and not room.state.clock.started
    assert advance(room, "a") == ["started"]


# ── pauses ──


def test_the_time_stands_still_for_who_is_gone_and_runs_on_when_they_are_back():
    room = running(300, on_gone="wait")
    assert advance(room, "a", gone="b", after=100) == ["paused"]
    assert room.log[-1].data == {"missing": ["b"]}
    assert advance(room, "a", after=1000) == [], "nobody knows that they are back"
    assert room.says("a") is None
    assert room.state.clock.left(room.state.rules, room.now) == 200 * SECOND
    assert advance(room, "ab") == ["resumed"]
    assert room.state.deadline == room.now + 200 * SECOND
    assert advance(room, "ab", after=200) == ["closed"]


def test_it_stands_still_for_an_hour_in_all_at_most():
    room = running(300, on_gone="wait")
    assert advance(room, "a", gone="b", after=100) == ["paused"]
    assert advance(room, "ab", after=600) == ["resumed"]
    assert advance(room, "a", gone="b") == ["paused"]
    assert next_due(room.state) == room.now + 3000 * SECOND
    assert advance(room, "a", gone="b", after=3000) == ["resumed"]
    assert room.state.deadline == room.now + 200 * SECOND
    assert advance(room, "a", gone="b") == [], "it runs on, though somebody is gone"


def test_time_that_stands_still_is_over_in_the_end_also_if_no_server_runs():
    room = running(300, on_gone="wait")
    advance(room, "a", gone="b", after=100)
    room.now += (3600 + 200) * SECOND - 1
    assert room.says("a") is None
    room.now += 1
    assert room.says("a") == "closed" and advance(room, "a", gone="b") == ["closed"]


def test_it_stands_still_for_nobody_who_is_done_or_was_removed():
    room = running(300, on_gone="wait")
    room.does(PressDone("b"))
    assert advance(room, "a", gone="b") == []
    other = running(300, on_gone="wait")
    advance(other, "a", gone="b")
    other.does(Remove("b"))
    assert advance(other, "a") == ["resumed"]


def test_it_goes_on_for_who_is_gone_where_no_rule_says_otherwise():
    room = running(300)
    assert advance(room, "a", gone="b", after=299) == ["warned"]


def test_a_room_without_a_group_is_closed_when_somebody_is_gone_if_it_shall_be():
    room = running(300, on_gone="close")
    assert advance(room, "a", gone="b") == ["closed"] and reason(room) == "gone"
    group = timed(300, on_gone="close")
    group.takes(event(group, "grouped", lobby="l"))
    group.takes(event(group, "shown"))
    advance(group, "ab")
    assert advance(group, "a", gone="b") == [], "a group is dissolved by its study"


# ── who is done ──


def test_who_has_written_enough_may_be_done():
    room = running(300, min_messages=2)
    room.says("a")
    assert room.refuses(PressDone("a")) == "gate"
    assert gate_of(room.state, room.state.memberships["a"], room.now) == Gate(messages=1)
    room.says("a")
    room.does(Post([("text", "by code")], member="b"))
    assert [each.kind for each in room.does(PressDone("a"))] == ["done"]
    assert room.does(PressDone("a")) == [] and room.state.done == ("a",)
    assert room.refuses(PressDone("b")) == "gate"
    assert room.state.is_open, "it ends with its time"


def test_a_held_message_counts_once_it_is_published():
    room = running(300, min_messages=1)
    (held,) = room.does(Say("a", "hi", "c", "page", waits=True))
    assert room.refuses(PressDone("a")) == "gate"
    room.does(Publish(held.seq, "a", "page", "hi", "HI"))
    assert room.refuses(PressDone("a")) is None


def test_messages_count_from_when_the_room_asks_for_them():
    room = running(300)
    room.says("a")
    room.does(Configure("", rules=Rules(rate=None, duration=300, min_messages=1)))
    assert room.refuses(PressDone("a")) == "gate"
    room.says("a")
    room.does(Remove("a"))
    room.joins("a")
    assert room.state.memberships["a"].said == 1


@pytest.mark.parametrize(("ends", "after"), [("any_done", 1), ("all_done", 2)])
def test_the_room_is_closed_once_enough_are_done(ends: Any, after: int):
    room = running(300, ends=ends)
    room.does(Join("o", "h-o", "observer"))
    for n, member in enumerate("ab"[:after], start=1):
        kinds = [each.kind for each in room.does(PressDone(member))]
        assert kinds == ["done"] + ["closed"] * (n == after)
    assert reason(room) == ends
    assert room.refuses(PressDone("b")) is None, "who presses it at the same moment is not scolded"
    assert room.refuses(PressDone("nobody")) == "not_member"


def test_who_leaves_need_not_be_done():
    room = running(300, ends="all_done")
    room.does(PressDone("a"))
    room.does(Remove("b"))
    assert advance(room) == ["closed"] and reason(room) == "all_done"


def test_observers_are_not_done():
    room = running(300)
    room.does(Join("o", "h-o", "observer"))
    assert room.refuses(PressDone("o")) == "read_only"


# ── members of a closed room ──


def test_in_a_closed_room_its_members_are_who_was_there_when_it_was_closed():
    room = running(300)
    room.does(Join("c", "h-c"))
    room.does(Remove("c"))
    room.does(Close())
    room.does(Remove("b"))
    room.does(Join("d", "h-d"))
    assert [each.member for each in room.state.members_for("a")] == ["a", "b"]
    assert [each.member for each in room.state.members()] == ["a", "d"]
    room.does(Open())
    assert [each.member for each in room.state.members_for("a")] == ["a", "d"]


# ── whatever happens ──

_COMMANDS: list[Callable[[int], Command]] = [
    lambda n: Say("a", "hi", f"c{n}", "page"),
    lambda n: Say("b", "hi", f"c{n}", "page"),
    lambda n: AdvanceRoom(ALL),
    lambda n: AdvanceRoom(frozenset("a")),
    lambda n: AdvanceRoom(frozenset("a"), frozenset("b")),
    lambda n: AdvanceRoom(),
    lambda n: PressDone("a"),
    lambda n: PressDone("b"),
    lambda n: Start(),
    lambda n: Extend(7 * SECOND),
    lambda n: Remove("b"),
    lambda n: Join("b", "h-b"),
]
_RULES = st.builds(
    Rules,
    rate=st.none(),
    duration=st.sampled_from([None, 5.0, 60.0]),
    starts=st.sampled_from([None, "all_present", "open", "first_message", "code"]),
    start_within=st.sampled_from([1.0, 30.0]),
    ends=st.sampled_from(["time", "all_done", "any_done"]),
    min_messages=st.sampled_from([0, 2]),
    on_gone=st.sampled_from(["continue", "wait", "close"]),
)
_STEPS = st.lists(
    st.tuples(st.sampled_from(_COMMANDS), st.sampled_from([0, 1, 4, 20])), max_size=40
)


def played(rules: Rules, steps: list[tuple[Callable[[int], Command], int]]) -> PureRoom:
    room = PureRoom(rules=rules, members="ab")
    for n, (command, seconds) in enumerate(steps):
        room.now += seconds * SECOND
        room.refuses(command(n))
    return room


@given(_RULES, _STEPS)
def test_a_clock_never_begins_or_ends_twice(rules: Rules, steps: Any):
    kinds = played(rules, steps).kinds()
    assert kinds.count("started") <= 1 and kinds.count("closed") <= 1
    assert 0 <= kinds.count("paused") - kinds.count("resumed") <= 1
    assert "started" in kinds or not {"paused", "warned", "resumed"} & set(kinds)


@given(_RULES, _STEPS)
def test_no_message_of_a_person_is_outside_of_the_time(rules: Rules, steps: Any):
    room = played(rules, steps)
    state = RoomState()
    for event in room.log:
        if event.kind == "message":
            assert state.has_begun and state.is_open and not state.is_over(event.at)
        state = fold_all(state, [event])
    assert state == room.state


@given(_RULES, _STEPS)
def test_a_room_is_closed_no_earlier_than_its_end(rules: Rules, steps: Any):
    room = played(rules, steps)
    closed = next((e for e in room.log if e.kind == "closed"), None)
    if closed is None or closed.data["reason"] != "time":
        return
    times = {kind: [e.at for e in room.log if e.kind == kind] for kind in ("paused", "resumed")}
    pauses = sum(times["resumed"]) - sum(times["paused"])
    extended = sum(e.data["by"] for e in room.log if e.kind == "extended")
    started = next(e.at for e in room.log if e.kind == "started")
    assert rules.duration is not None
    assert closed.at >= started + rules.duration * SECOND + pauses + extended


@given(_RULES, _STEPS)
def test_who_is_asked_twice_what_is_due_does_it_once(rules: Rules, steps: Any):
    room = played(rules, steps)
    for present, gone in (("ab", ""), ("a", "b"), ("", "")):
        advance(room, present, gone)
        assert advance(room, present, gone) == []


@given(_RULES, _STEPS)
def test_what_is_due_by_the_clock_is_due_when_it_says_and_not_before(rules: Rules, steps: Any):
    room = played(rules, steps)
    advance(room)
    due = next_due(room.state)
    if due is None:
        assert advance(room, after=10_000) == []
        return
    assert due > room.now
    room.now = due - 1
    assert advance(room) == []
    room.now = due
    assert advance(room) != []


# ── who is there ──


def test_who_was_heard_just_now_is_there_and_who_was_not_for_long_is_gone():
    room = running(300, on_gone="wait", grace=60)
    room.now += 100 * SECOND
    known = {"a": PRESENT - 1, "b": 61 * SECOND}
    command = advance_by(room.state, known, room.now, heard_since=0)
    assert command == AdvanceRoom(frozenset("a"), frozenset("b"))
    command = advance_by(room.state, known, room.now, heard_since=room.now - 60 * SECOND)
    assert command.gone == frozenset(), "there was no server that could hear them"


def test_nobody_is_gone_from_before_the_time_has_started():
    room = running(300, on_gone="wait", grace=60)
    known = {"a": 0, "b": 1_000 * SECOND}
    assert not advance_by(room.state, known, room.now, heard_since=0).gone
    assert advance_by(room.state, known, room.now + 61 * SECOND, heard_since=0).gone


def test_nobody_is_gone_while_a_start_is_awaited():
    room = timed(300, on_gone="close")
    assert not advance_by(room.state, {"b": 1_000 * SECOND}, room.now, heard_since=0).gone


def test_who_has_never_come_is_gone_from_a_group_only():
    room = running(300, on_gone="close", grace=60)
    room.now += 61 * SECOND
    assert not advance_by(room.state, {}, room.now, heard_since=0).gone
    room.takes(event(room, "grouped", lobby="l"))
    room.takes(event(room, "shown"))
    assert advance_by(room.state, {}, room.now, heard_since=0).gone == ALL
    room.does(PressDone("a"))
    assert dissolving(room.state, ALL) == ("b",)
    room.does(Close())
    assert dissolving(room.state, ALL) == ()


def test_pages_are_asked_only_where_it_matters_who_is_there():
    assert not needs_signs(timed(None).state) and not needs_signs(running(300).state)
    assert not needs_signs(timed(300, starts="code").state)
    assert needs_signs(timed(300).state) and needs_signs(timed(300, starts="all_present").state)
    assert needs_signs(running(300, on_gone="wait").state)
    closed = running(300, on_gone="wait")
    closed.does(Close())
    assert not needs_signs(closed.state)


# ── rules ──


@pytest.mark.parametrize(
    "wrong",
    [
        {"duration": 0},
        {"starts": "now"},
        {"start_within": 0},
        {"warn": 60},
        {"warn": (0,)},
        {"warn": "60"},
        {"ends": "never"},
        {"min_messages": -1},
        {"grace": 5},
        {"on_gone": "leave"},
    ],
)
def test_rules_for_the_time_are_checked(wrong: dict[str, Any]):
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        Rules(**wrong)
