"""Whose turn it is to write."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    AdvanceRoom,
    Close,
    Disclose,
    Join,
    Mute,
    PassTurn,
    Post,
    PressDone,
    Publish,
    Remove,
    Say,
)
from shiny_labchat.domain.due import next_due
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.turns import ends_at, turn_at
from tests.unit.pure_room import SECOND, PureRoom


def in_turn(members: str = "abc", turns: Any = "round_robin", **rules: Any) -> PureRoom:
    """A room whose time has started."""
    room = PureRoom(rules=Rules(rate=None, turns=turns, **rules), members=members)
    room.does(AdvanceRoom(frozenset(members)))
    return room


def whose(room: PureRoom) -> str | None:
    return turn_at(room.state, room.now).member


def events(room: PureRoom, command: Any) -> list[tuple[str, str | None, Any]]:
    return [(each.kind, each.member, each.data.get("by")) for each in room.does(command)]


# ── one after the other ──


def test_people_write_one_message_each_in_the_order_in_which_they_joined():
    room = in_turn()
    assert room.log[-1][2:4] == ("turn", "a")
    assert room.says("b") == "not_your_turn"
    for member in "abcab":
        assert whose(room) == member and room.says(member) is None
        assert room.says(member) == "not_your_turn"


def test_the_turn_of_the_next_is_on_record_after_the_message():
    room = in_turn()
    assert events(room, Say("a", "hi", "c", "page")) == [
        ("message", "a", None),
        ("turn", "b", "message"),
    ]
    assert room.state.turn == ("b", room.now)


def test_a_turn_is_over_after_its_time_whether_or_not_anybody_has_said_so():
    room = in_turn(turn_seconds=30)
    assert next_due(room.state, room.now) == room.now + 30 * SECOND
    assert next_due(room.state) is None, "nobody looks, so nothing need be announced"
    room.now += 30 * SECOND - 1
    assert room.says("b") == "not_your_turn"
    room.now += 1
    assert whose(room) == "b" and room.refuses(Say("a", "late", "c", "page")) == "not_your_turn"
    assert events(room, AdvanceRoom()) == [("turn", "b", "time")]
    assert room.does(AdvanceRoom()) == []
    room.now += 61 * SECOND
    assert whose(room) == "a" and room.says("a") is None and whose(room) == "b"


def test_a_message_that_waits_for_the_app_takes_its_turn_when_it_is_published():
    room = in_turn()
    held = [room.does(Say("a", "hi", f"c{n}", "page", waits=True))[0] for n in range(2)]
    assert whose(room) == "a"
    kinds = [e.kind for e in room.does(Publish(held[0].seq, "a", "page", "hi", "HI"))]
    assert kinds == ["message", "turn"]
    assert room.refuses(Publish(held[1].seq, "a", "page", "hi", "HI")) == "not_your_turn"


def test_who_has_left_is_done_or_may_write_no_more_is_passed_over():
    room = in_turn("abcde", max_messages=1)
    room.says("a")
    room.does(PressDone("b"))
    assert whose(room) == "c"
    assert events(room, AdvanceRoom()) == [("turn", "c", "left")]
    assert room.state.turn.since == room.now, "who comes next has all of their time"
    room.does(Remove("c"))
    room.does(Mute("d"))
    assert whose(room) == "e" and room.says("e") is None
    assert whose(room) is None, "nobody is left who may write"
    assert room.does(AdvanceRoom()) == []


def test_who_is_alone_has_their_turn_for_ever():
    room = in_turn("a", turn_seconds=5)
    room.now += 3600 * SECOND
    assert room.says("a") is None and room.says("a") is None
    assert ends_at(room.state, turn_at(room.state, room.now)) is None


def test_observers_and_programmes_take_no_turns():
    room = PureRoom(rules=Rules(rate=None, turns="round_robin"))
    room.does(Join("bot", "h-bot", "assistant", is_bot=True))
    room.does(Join("o", "h-o", "observer"))
    room.does(Join("e", "h-e", "experimenter"))
    room.joins("a")
    assert whose(room) == "a"
    for member in ("bot", "e", None):
        assert room.refuses(Post([("text", "hi")], member=member)) is None
    assert room.says("e") is None and whose(room) == "a"


def test_what_the_app_writes_for_somebody_is_not_their_turn():
    room = in_turn()
    room.does(Post([("text", "for b")], member="b"))
    assert whose(room) == "a"


def test_a_bot_that_is_shown_as_a_participant_takes_turns_in_an_order_that_does_not_tell():
    room = PureRoom(rules=Rules(rate=None, turns="round_robin"))
    room.does(Join("bot", "h-m", "assistant", is_bot=True, shown="participant"))
    room.does(Join("a", "h-z"))
    room.does(Join("b", "h-a"))
    room.does(AdvanceRoom(frozenset("ab")))
    assert whose(room) == "b", "by their random handles: bots join first"
    assert room.refuses(Post([("text", "hi")], member="bot")) == "not_your_turn"
    room.says("b")
    assert events(room, Post([("text", "hi")], member="bot", hides_composing=True)) == [
        ("composed", "bot", None),
        ("message", "bot", None),
        ("turn", "a", "message"),
    ]
    room.does(Disclose("bot"))
    room.says("a")
    assert whose(room) == "b", "it is a programme now"


def test_the_first_message_starts_the_time_and_passes_the_turn():
    room = PureRoom(
        rules=Rules(rate=None, turns="round_robin", starts="first_message"), members="ab"
    )
    assert room.says("b") == "not_your_turn"
    assert [e.kind for e in room.does(Say("a", "hi", "c", "page"))] == [
        "started",
        "message",
        "turn",
    ]


def test_nobody_has_the_turn_before_it_has_begun():
    room = PureRoom(rules=Rules(turns="round_robin", starts="code"), members="ab")
    assert whose(room) is None and room.says("a") == "not_yet"


# ── as the app says ──


def test_the_app_says_whose_turn_it_is_and_it_lasts_until_it_says_otherwise():
    room = in_turn(turns="code", turn_seconds=5)
    assert whose(room) is None and room.says("a") == "not_your_turn"
    assert events(room, PassTurn("b")) == [("turn", "b", "code")]
    assert room.does(PassTurn("b")) == []
    room.now += 3600 * SECOND
    assert room.says("b") is None and room.says("b") is None and room.says("a") == "not_your_turn"
    room.does(PassTurn(None))
    assert room.says("b") == "not_your_turn"


def test_the_app_may_pass_the_turn_where_people_write_one_after_the_other():
    room = in_turn()
    room.does(PassTurn("c"))
    assert room.says("c") is None and whose(room) == "a"


def test_a_turn_is_passed_to_those_only_who_take_turns_and_where_there_are_any():
    room = in_turn(turns="code")
    room.does(Join("o", "h-o", "observer"))
    assert room.refuses(PassTurn("o")) == "read_only"
    assert room.refuses(PassTurn("nobody")) == "not_member"
    assert PureRoom(members="a").refuses(PassTurn("a")) == "no_turns"
    room.does(Close())
    assert room.refuses(PassTurn("a")) == "closed"


def test_who_has_the_turn_and_leaves_leaves_it_to_nobody():
    room = in_turn(turns="code")
    room.does(PassTurn("a"))
    room.does(Remove("a"))
    assert whose(room) is None


# ── whatever happens ──

_STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                *(lambda n, m=m: Say(m, "hi", f"c{n}", "page") for m in "abc"),
                *(lambda n, m=m: Remove(m) for m in "ab"),
                *(lambda n, m=m: Join(m, f"h-{m}") for m in "abd"),
                lambda n: Mute("b"),
                lambda n: Mute("b", on=False),
                lambda n: PressDone("c"),
                lambda n: PassTurn("c"),
                lambda n: AdvanceRoom(frozenset("abc")),
                lambda n: AdvanceRoom(),
            ]
        ),
        st.sampled_from([0, 1, 29, 30, 200]),
    ),
    max_size=40,
)


@given(_STEPS)
def test_nobody_writes_twice_while_others_may_and_none_out_of_turn(steps: Any):
    room = in_turn(turn_seconds=30)
    for n, (command, seconds) in enumerate(steps):
        room.now += seconds * SECOND
        before, had = whose(room), len(room.log)
        room.refuses(command(n))
        said = [each for each in room.log[had:] if each.kind == "message"]
        assert all(each.member == before for each in said)
        others = sum(m.takes_turns and not m.is_removed for m in room.state.memberships.values())
        assert not said or whose(room) != before or others == 1 or room.state.done or _muted(room)


def _muted(room: PureRoom) -> bool:
    return room.state.memberships["b"].is_muted


@given(_STEPS)
def test_announcing_whose_turn_it_is_changes_nothing(steps: Any):
    """But who comes after somebody who has left has all of their time."""
    room = in_turn(turn_seconds=30)
    for n, (command, seconds) in enumerate(steps):
        room.now += seconds * SECOND
        room.refuses(command(n))
        before = turn_at(room.state, room.now)
        announced = room.does(AdvanceRoom())
        after = turn_at(room.state, room.now)
        assert after.member == before.member
        assert after == before or [each.data["by"] for each in announced] == ["left"]
        due = next_due(room.state, room.now)
        assert due is None or due > room.now
