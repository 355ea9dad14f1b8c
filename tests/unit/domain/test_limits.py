"""How much members may write, how soon again, and what they must have written to go on."""

from __future__ import annotations

from typing import Any

import pytest

from shiny_labchat.domain.commands import (
    AdvanceRoom,
    Close,
    Configure,
    Join,
    Mute,
    Open,
    Post,
    PressDone,
    Publish,
    Remove,
    Say,
    SetRules,
    Start,
)
from shiny_labchat.domain.due import next_due
from shiny_labchat.domain.hours import moment
from shiny_labchat.domain.limits import Gate, changes_by_own, gate_of, longest, silence_at
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import RoomState, fold
from tests.unit.pure_room import SECOND, PureRoom


def ruled(**rules: Any) -> PureRoom:
    return PureRoom(rules=Rules(rate=None, **rules), members="ab")


def gate(room: PureRoom, member: str = "a") -> Gate:
    return gate_of(room.state, room.state.memberships[member], room.now)


def with_bot(room: PureRoom, shown: Any = None) -> PureRoom:
    room.does(Join("bot", "h-bot", "assistant", is_bot=True, shown=shown))
    return room


# ── the most ──


def test_the_message_after_the_last_is_refused():
    room = ruled(max_messages=2)
    assert [room.says("a") for _ in range(3)] == [None, None, "too_many"]
    assert room.says("b") is None, "each has their own"


def test_of_what_is_held_only_as_many_are_published():
    room = ruled(max_messages=1)
    held = [room.does(Say("a", "hi", f"c{n}", "page", waits=True))[0] for n in range(2)]
    assert room.refuses(Publish(held[0].seq, "a", "page", "hi", None)) is None
    assert room.refuses(Publish(held[1].seq, "a", "page", "hi", None)) == "too_many"


def test_a_text_with_more_characters_than_are_left_is_refused_and_a_shorter_one_is_not():
    room = ruled(max_characters=5)
    assert room.says("a", "four") is None
    assert room.says("a", "no") == "too_much"
    assert longest(room.state, room.state.memberships["a"]) == 1
    assert room.says("a", "é") is None, "they are code points"
    assert room.says("a", "x") == "too_many"


def test_the_app_and_assistants_may_write_whatever_people_may():
    room = with_bot(ruled(max_messages=1, cooldown=60, turns="code"))
    for member in ("a", "bot", None):
        for _ in range(2):
            assert room.refuses(Post([("text", "hi")], member=member)) is None
    assert room.says("a") == "not_your_turn"


def test_a_bot_that_is_shown_as_a_participant_is_limited_as_people_are():
    room = with_bot(ruled(max_messages=1), shown="participant")
    assert room.refuses(Post([("text", "hi")], member="bot")) is None
    assert room.refuses(Post([("text", "hi")], member="bot")) == "too_many"


def test_who_comes_back_has_written_what_they_had():
    room = ruled(max_messages=2, max_characters=100)
    room.says("a", "hello")
    room.does(Remove("a"))
    room.joins("a")
    known = room.state.memberships["a"]
    assert (known.said, known.characters, known.last_said) == (1, 5, room.now)


# ── how soon ──


def test_the_next_message_has_to_wait_for_the_cooldown():
    room = ruled(cooldown=10)
    room.says("a")
    room.now += 10 * SECOND - 1
    assert room.says("a") == "cooldown" and room.says("b") is None
    room.now += 1
    assert room.says("a") is None


def test_a_clock_that_is_set_back_silences_nobody():
    room = ruled(cooldown=10)
    room.says("a")
    room.now -= 3600 * SECOND
    assert room.says("a") is None


# ── the least ──


def test_the_gate_opens_with_exactly_the_message_that_meets_the_minima():
    room = ruled(min_messages=2, min_characters=10)
    assert gate(room) == Gate(2, 10) and changes_by_own(room.state, room.state.memberships["a"])
    room.says("a", "12345678")
    assert gate(room) == Gate(1, 2) and room.refuses(PressDone("a")) == "gate"
    room.says("a", "9")
    assert gate(room) == Gate(0, 1) and room.refuses(PressDone("a")) == "gate"
    room.says("a", "0")
    assert gate(room).is_met and room.refuses(PressDone("a")) is None
    assert not changes_by_own(room.state, room.state.memberships["a"])


def test_the_gate_opens_when_so_much_time_has_passed_since_the_start():
    room = ruled(min_seconds=60)
    assert gate(room) == Gate(time=60 * SECOND)
    room.now += 100 * SECOND
    assert gate(room) == Gate(time=60 * SECOND), "it has not started"
    room.does(AdvanceRoom(frozenset("a")))
    room.now += 60 * SECOND - 1
    assert gate(room) == Gate(time=1) and room.refuses(PressDone("a")) == "too_early"
    room.now += 1
    assert room.refuses(PressDone("a")) is None


def test_who_may_not_write_any_more_has_written_enough():
    room = ruled(min_messages=3, max_messages=1)
    room.says("a")
    assert gate(room).is_met and gate(room, "b") == Gate(3)


# ── for one member ──


def test_rules_of_a_member_hold_for_them_alone_and_whole():
    room = ruled(max_messages=1, max_length=10)
    room.does(SetRules("a", Rules(rate=None, max_messages=2)))
    assert room.says("a", "x" * 11) is None, "as they do not say that it may not be so long"
    assert room.says("b", "x" * 11) == "too_long"
    assert room.says("a") is None and room.says("a") == "too_many"
    assert room.says("b") is None and room.says("b") == "too_many"
    assert room.does(SetRules("a", Rules(rate=None, max_messages=2))) == []


def test_what_counts_for_a_member_counts_from_then_on():
    room = ruled()
    room.says("a")
    assert not room.state.counts_from and not room.state.is_limited
    room.does(SetRules("a", Rules(rate=None, max_messages=1)))
    assert room.says("a") is None and room.says("a") == "too_many"
    assert [room.says("b") for _ in range(3)] == [None] * 3


def test_the_room_is_configured_and_the_members_rules_stay():
    room = ruled()
    room.does(SetRules("a", Rules(rate=None, cooldown=10)))
    room.does(Configure("", rules=Rules(rate=None, max_length=99)))
    room.says("a")
    assert room.says("a") == "cooldown"


def test_a_rule_of_the_whole_room_is_not_for_one_member():
    room = ruled(duration=300)
    assert room.refuses(SetRules("nobody", Rules())) == "not_member"
    with pytest.raises(ValueError, match="turns='code' is a rule of the whole room"):
        room.does(SetRules("a", Rules(turns="code")))
    room.does(SetRules("a", Rules(duration=300, max_length=9)))
    assert room.says("a", "x" * 10) == "too_long"


def test_a_member_cannot_wait_for_a_start_that_never_comes():
    with pytest.raises(ValueError, match="min_seconds"):
        ruled().does(SetRules("a", Rules(min_seconds=60)))


# ── by the clock on the wall ──

CLOSES = "2026-11-30T18:00:00+01:00"


def closing(**rules: Any) -> PureRoom:
    room = ruled(closes_at=CLOSES, **rules)
    room.now = moment(CLOSES) - 100 * SECOND
    room.does(AdvanceRoom(frozenset("ab")))
    return room


def test_a_message_is_refused_from_the_moment_of_closing_on():
    room = closing()
    room.now = moment(CLOSES) - 1
    assert room.says("a") is None
    room.now += 1
    assert room.says("a") == "closed" and room.state.is_open, "though nobody has noticed it"
    assert [each.kind for each in room.does(AdvanceRoom())] == ["closed"]
    assert room.state.reason == "time"


def test_a_duration_ends_with_the_room():
    room = closing(duration=600, warn=(60,))
    assert room.state.deadline == moment(CLOSES)
    assert next_due(room.state) == moment(CLOSES) - 60 * SECOND
    shorter = closing(duration=50)
    assert shorter.state.deadline == shorter.now + 50 * SECOND


def test_a_room_is_closed_also_if_its_time_stands_still_or_has_not_started():
    for room in (closing(duration=600, on_gone="wait"), ruled(closes_at=CLOSES, starts="code")):
        room.does(AdvanceRoom(frozenset("a"), frozenset("b")))
        assert next_due(room.state) == moment(CLOSES)
        room.now = moment(CLOSES)
        assert [each.kind for each in room.does(AdvanceRoom())] == ["closed"]


def test_a_room_that_is_opened_again_is_open_until_it_is_closed_otherwise():
    room = closing()
    room.does(Close())
    room.does(Open())
    assert room.state.deadline == moment(CLOSES), "it was closed before"
    room.now = moment(CLOSES) + SECOND
    room.does(AdvanceRoom())
    room.does(Open())
    assert room.says("a") is None and room.state.deadline is None
    assert [each.kind for each in room.does(AdvanceRoom(frozenset("a")))] == ["started"]


def test_nobody_writes_and_nothing_starts_before_the_room_opens():
    room = ruled(opens_at=CLOSES, duration=300)
    room.now = moment(CLOSES) - 1
    assert room.says("a") == "not_yet" and room.refuses(PressDone("a")) == "not_yet"
    events = room.does(AdvanceRoom(frozenset("ab")))
    assert [each.kind for each in events] == ["waiting", "hours"]
    assert events[1].data == {"code": "not_yet"}
    assert next_due(room.state, room.now) == moment(CLOSES)
    room.now += 1
    assert room.says("a") is None
    events = room.does(AdvanceRoom(frozenset("ab")))
    assert [each.kind for each in events] == ["started", "hours"]
    assert room.does(AdvanceRoom(frozenset("ab"))) == []


def test_time_that_is_started_before_the_room_opens_runs_from_then_on():
    room = ruled(opens_at=CLOSES, duration=300, starts="code", min_seconds=60)
    room.does(Start())
    assert room.state.deadline == moment(CLOSES) + 300 * SECOND
    room.now = moment(CLOSES)
    assert gate(room) == Gate(time=60 * SECOND) and room.says("a") is None


def test_a_room_starts_for_those_who_came_before_it_opened_also_if_they_have_gone():
    room = ruled(opens_at=CLOSES, duration=300, start_within=30)
    room.now = moment(CLOSES) - SECOND
    assert [each.kind for each in room.does(AdvanceRoom(frozenset("a")))] == ["waiting", "hours"]
    assert next_due(room.state) == moment(CLOSES) + 30 * SECOND
    room.now = moment(CLOSES) + 30 * SECOND
    assert room.does(AdvanceRoom(frozenset()))[0].kind == "started"


def test_a_room_with_hours_is_read_and_not_written_outside_of_them():
    room = ruled(hours=("08:00", "22:00", "Europe/Berlin"))
    room.now = moment("2026-11-30T22:00:00+01:00")
    assert room.says("a") == "out_of_hours"
    room.does(Post([("text", "by the app")]))
    assert [each.data for each in room.does(AdvanceRoom())] == [{"code": "out_of_hours"}]
    assert next_due(room.state) is None, "nobody looks, so nothing need be announced"
    room.now = next_due(room.state, room.now) or 0
    assert room.now == moment("2026-12-01T08:00:00+01:00") and room.says("a") is None
    assert [each.data for each in room.does(AdvanceRoom())] == [{"code": None}]


# ── who comes later ──


def test_who_joins_later_reads_what_is_said_from_then_on_where_rules_say_so():
    room = ruled(history="joined")
    room.says("a", "early")
    early = room.log[-1]
    room.does(Join("c", "h-c"))
    room.does(Join("e", "h-e", "experimenter"))
    room.says("a", "late")
    sees = {
        name: [room.state.shows(each, event) for event in (early, room.log[-1])]
        for name, each in room.state.memberships.items()
    }
    assert sees["c"] == [False, True]
    assert sees["a"] == sees["b"] == sees["e"] == [True, True]


# ── the hot path ──


def test_a_room_without_such_rules_counts_nothing():
    room = ruled()
    room.says("a")
    room.does(Mute("b"))
    known = room.state.memberships["a"]
    assert (known.said, known.characters, known.last_said) == (0, 0, 0)
    assert not room.state.is_limited
    assert silence_at(room.state, room.state.memberships["b"], room.now) == "muted"


def test_a_newer_versions_rules_of_a_member_do_no_harm():
    room = ruled()
    event = room.does(SetRules("a", Rules(rate=None, max_messages=1)))[0]
    rules = {**event.data["rules"], "of_tomorrow": 1, "duration": 5, "cooldown": "soon"}
    newer = fold(RoomState(), room.log[0])
    for each in (*room.log[1:-1], event._replace(data={"rules": rules})):
        newer = fold(newer, each)
    assert newer == room.state
