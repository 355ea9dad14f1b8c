"""The fold, the token bucket, and the public records."""

from __future__ import annotations

from dataclasses import FrozenInstanceError
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Member, Message, Rules
from shiny_labchat.domain.commands import Join, Post, Remove
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.layers import LayeredMap
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import message_of, to_datetime
from shiny_labchat.domain.state import RoomState, fold, fold_all
from tests.unit.pure_room import SECOND, PureRoom

NEW = RoomState()
LIMITED = Rules(rate=2.0, burst=5)


def until_refused(room: PureRoom, member: str = "a") -> int:
    said = 0
    while room.says(member) is None:
        said += 1
        assert said < 1000
    return said


# ── the token bucket ──


def test_a_burst_is_allowed_and_then_the_rate_counts() -> None:
    room = PureRoom(rules=LIMITED, members="a")
    assert until_refused(room) == 5
    assert room.says("a") == "too_fast"
    room.now += SECOND
    assert until_refused(room) == 2


def test_an_idle_member_saves_up_no_more_than_a_burst() -> None:
    room = PureRoom(rules=LIMITED, members="a")
    until_refused(room)
    room.now += 3600 * SECOND
    assert until_refused(room) == 5


def test_one_members_haste_costs_nobody_else() -> None:
    room = PureRoom(rules=LIMITED, members="ab")
    until_refused(room, "a")
    assert until_refused(room, "b") == 5


def test_a_refused_message_costs_nothing() -> None:
    room = PureRoom(rules=LIMITED, members="a")
    until_refused(room)
    for _ in range(50):
        room.says("a")
    room.now += SECOND // 2
    assert room.says("a") is None


def test_without_a_rate_there_is_no_limit() -> None:
    room = PureRoom(rules=Rules(rate=None), members="a")
    assert [room.says("a") for _ in range(200)] == [None] * 200


def test_a_clock_that_jumps_back_gives_one_message_at_most() -> None:
    room = PureRoom(rules=LIMITED, members="a")
    until_refused(room)
    room.now -= 86_400 * SECOND
    assert until_refused(room) <= 1
    room.now += SECOND
    assert until_refused(room) <= 2


def test_a_clock_that_jumps_back_lets_the_rest_of_a_burst_be_said() -> None:
    room = PureRoom(rules=LIMITED, members="a")
    assert room.says("a") is None
    room.now -= 86_400 * SECOND
    assert until_refused(room) == 4


def test_a_clock_that_jumps_ahead_gives_one_burst() -> None:
    room = PureRoom(rules=LIMITED, members="a")
    until_refused(room)
    room.now += 10_000 * 86_400 * SECOND
    assert until_refused(room) == 5


def test_who_spoke_while_the_clock_was_ahead_is_not_silenced_for_long() -> None:
    """An NTP correction must not cost a person the rest of the experiment."""
    room = PureRoom(rules=LIMITED, members="a")
    room.now += 3600 * SECOND
    until_refused(room)
    room.now -= 3600 * SECOND
    room.now += 60 * SECOND
    assert room.says("a") is None


def test_what_code_says_for_a_member_does_not_silence_them() -> None:
    room = PureRoom(rules=LIMITED, members="a")
    for _ in range(100):
        room.does(Post([("text", "x")], member="a"))
    room.now += 3 * SECOND
    assert room.says("a") is None


@given(st.lists(st.integers(-10 * SECOND, 10 * SECOND), max_size=30))
def test_whatever_the_clock_does_nobody_exceeds_burst_and_rate(jumps: list[int]) -> None:
    room = PureRoom(rules=LIMITED, members="a")
    said = 0
    for jump in jumps:
        room.now += jump
        said += room.says("a") is None
    ahead = sum(max(0, jump) for jump in jumps) / SECOND
    back = sum(jump < 0 for jump in jumps)  # each may give one message
    assert said <= LIMITED.burst + 2.0 * ahead + back + 1e-6


@pytest.mark.parametrize(
    "wrong", [{"max_length": 0}, {"rate": 0}, {"rate": -1.0}, {"burst": 0}, {"rate": float("nan")}]
)
def test_rules_that_make_no_sense_are_errors(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Rules(**wrong)  # pyright: ignore[reportArgumentType]


# ── fold ──


def test_an_unknown_kind_of_event_only_counts() -> None:
    state = fold(RoomState(seq=4, title="T"), Event(5, 0, "from the future", "a", {"x": 1}))
    assert state == RoomState(seq=5, title="T")


def test_an_event_about_a_stranger_only_counts() -> None:
    for kind in ("message", "removed", "changed"):
        assert fold(RoomState(seq=1), Event(2, 0, kind, "nobody")) == RoomState(seq=2)


def test_folding_leaves_the_old_state_as_it_was() -> None:
    room = PureRoom(members="ab")
    before = room.state
    seats = dict(before.memberships)
    room.does(Remove("a"))
    assert dict(before.memberships) == seats and before.membership("a") is not None


MEMBERS = st.sampled_from(["a", "b", "c", "bot"])
ROLE = st.sampled_from(["participant", "observer", "assistant", "of tomorrow"])
DATA: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "configured": st.fixed_dictionaries(
        {}, optional={"seed": st.text(), "rules": st.just({"rate": 1.0})}
    ),
    "joined": st.fixed_dictionaries(
        {"handle": st.text(), "pseudonym": st.text(), "role": ROLE},
        optional={"is_bot": st.booleans(), "shown": ROLE | st.none()},
    ),
    "changed": st.fixed_dictionaries(
        {},
        optional={
            "role": ROLE,
            "is_muted": st.booleans(),
            "rules": st.just({"max_characters": 5, "of_tomorrow": 1}),
        },
    ),
    "hours": st.fixed_dictionaries({"code": st.sampled_from([None, "not_yet"])}),
    "turn": st.fixed_dictionaries({"by": st.just("time")}, optional={"since": st.integers()}),
    "removed": st.just({}),
    "message": st.fixed_dictionaries({}, optional={"page": st.just("p")}),
    "submitted": st.just({"page": "p", "text": "x"}),
    "cleared": st.fixed_dictionaries({"scope": st.sampled_from(["room", "view", "of tomorrow"])}),
    "disclosed": st.fixed_dictionaries({"to": st.none() | st.lists(MEMBERS)}),
    "opened": st.just({}),
    "closed": st.just({}),
    "of tomorrow": st.just({"x": 1}),
}
HAPPENINGS = st.lists(
    st.sampled_from(sorted(DATA)).flatmap(
        lambda kind: st.tuples(st.just(kind), MEMBERS, DATA[kind])
    ),
    max_size=40,
)


def events_of(happenings: list[tuple[str, str, dict[str, Any]]]) -> list[Event]:
    return [Event(n, n * SECOND, *each) for n, each in enumerate(happenings, start=1)]


def folded(events: list[Event], state: RoomState = NEW) -> RoomState:
    for event in events:
        state = fold(state, event)
    return state


@given(HAPPENINGS, st.integers(0, 40))
def test_many_events_fold_to_what_one_after_the_other_gives(
    happenings: list[tuple[str, str, dict[str, Any]]], at: int
) -> None:
    events = events_of(happenings)
    begun = folded(events[:at])
    before = folded(events[:at])
    state = fold_all(begun, events[at:])
    assert state == folded(events)
    assert list(state.memberships) == list(folded(events).memberships)
    assert begun == before


@given(HAPPENINGS)
def test_bots_and_the_order_of_members_are_what_a_look_at_each_member_gives(
    happenings: list[tuple[str, str, dict[str, Any]]],
) -> None:
    state = folded(events_of(happenings))
    every = list(state.memberships.values())
    assert {each.member for each in state.bots()} == {
        each.member for each in every if each.is_bot and not each.is_removed
    }
    until = len(happenings) if state.is_open else state.closed - 1
    then = folded(events_of(happenings[:until])).memberships.values()
    there = {each.member for each in then if not each.is_removed}
    if not state.is_open:  # when it was closed; who has come anew since, has not been there
        there -= {each.member for each in every if each.joined >= state.closed}
    for viewer in (None, "a", "bot"):
        here = [each for each in every if each.member in there]
        if any(each.role_for(viewer) != each.role for each in every):
            here.sort(key=lambda each: each.handle)
        assert list(state.members_for(viewer)) == here


def test_who_is_a_bot_is_found_without_a_look_at_each_member() -> None:
    room = PureRoom(members="abc")
    room.does(Join("bot", "h", role="assistant", is_bot=True, shown="participant"))
    asked: list[str] = []

    class Asked(LayeredMap[str, Membership]):
        def __getitem__(self, key: str) -> Membership:
            asked.append(key)
            return super().__getitem__(key)

    state = room.state._replace(memberships=Asked(dict(room.state.memberships)))
    assert [each.member for each in state.bots()] == asked == ["bot"]


def test_an_audience_sees_and_others_do_not() -> None:
    room = PureRoom(members="abc")
    room.does(Post([("text", "x")], member="b", audience=["a"]))
    seen = {member: seat.may_see(room.log[-1]) for member, seat in room.state.memberships.items()}
    assert seen == {"a": True, "b": True, "c": False}


# ── records ──


def test_times_are_aware_utc_and_exact_to_the_microsecond() -> None:
    for at in (0, 1, 999_999, 1_700_000_000_123_457, 253_402_300_799_999_999):
        time = to_datetime(at)
        assert time.tzinfo is UTC
        epoch = datetime(1970, 1, 1, tzinfo=UTC)
        assert (time - epoch) // timedelta(microseconds=1) == at


def a_message() -> Message:
    data = {"role": "user", "name": "Ann", "parts": [("text", "a"), ("markdown", "b")]}
    return message_of(Event(7, 1_000_000, "message", "m1", data))


def test_a_message_has_all_its_parts_in_order() -> None:
    message = a_message()
    assert (message.content, message.id) == ("ab", "m7")
    assert (message.author, message.member, message.seq) == ("Ann", "m1", 7)


def test_a_message_as_dict_is_json() -> None:
    import json

    assert json.loads(json.dumps(a_message().as_dict()))["at"] == "1970-01-01T00:00:01+00:00"


def test_records_cannot_be_changed() -> None:
    for record, name in ((a_message(), "content"), (Member("a", "Ann"), "role"), (Rules(), "rate")):
        with pytest.raises(FrozenInstanceError):
            setattr(record, name, "x")


def test_a_member_knows_whether_it_is_oneself() -> None:
    seat = Membership("a", "h", "Ann", "participant", joined=1)
    assert Member.seen_by("a", seat).own and not Member.seen_by("b", seat).own
    assert not Member.of(seat).own
