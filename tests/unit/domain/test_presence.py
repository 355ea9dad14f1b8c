"""What people look like, by what is known of their pages; and what counts of it."""

from __future__ import annotations

from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Rules
from shiny_labchat.domain.commands import (
    AskPresence,
    ConfirmPresence,
    EndQuestion,
    Join,
    NotePresence,
    Remove,
)
from shiny_labchat.domain.presence import (
    STEADY,
    Look,
    Presence,
    Signs,
    all_signs,
    is_steady,
    look,
    seems,
)
from tests.unit.pure_room import SECOND, PureRoom

RULES = Rules()
times = st.integers(0, 10**10)
signs = st.builds(Signs, times, times, times)


@pytest.mark.parametrize(
    ("heard", "hidden", "quiet", "presence"),
    [
        (0, 0, 0, "here"),
        (29, 0, 59, "here"),
        (0, 0, 60, "idle"),
        (0, 119, 60, "idle"),
        (0, 120, 120, "away"),
        (30, 0, 0, "gone"),
        (30, 500, 500, "gone"),
    ],
)
def test_what_somebody_looks_like(heard: int, hidden: int, quiet: int, presence: Presence) -> None:
    """How many seconds ago a page answered, and what it said then."""
    now = 10_000 * SECOND
    at = now - heard * SECOND
    assert seems(Signs(at, at - hidden * SECOND, at - quiet * SECOND), RULES, now) == presence


def test_one_page_that_is_shown_is_enough() -> None:
    now = 10_000 * SECOND
    hidden, shown = Signs(now, now - 900 * SECOND, now - 900 * SECOND), Signs(now, now, now)
    assert [seems(all_signs(some), RULES, now) for some in ([hidden], [hidden, shown])] == [
        "away",
        "here",
    ]


@given(st.lists(signs, min_size=1, max_size=4))
def test_it_does_not_matter_who_has_heard_what_in_which_order(some: list[Signs]) -> None:
    together = {all_signs(each) for each in permutations(some)}
    assert len(together) == 1
    assert together == {all_signs([all_signs(some), *some])}


@given(signs, times, st.integers(-(10**9), 10**9))
def test_another_clock_changes_nothing(known: Signs, at: int, by: int) -> None:
    later = 10**11  # so that nothing is before all times
    shifted = Signs(*(each + later for each in known))
    seen = seems(shifted, RULES, at + later)
    assert seems(shifted.moved(by), RULES, at + later + by) == seen


@given(signs, times, times)
def test_times_before_now_are_the_same_by_any_clock(known: Signs, now: int, other: int) -> None:
    """But for what is just now, which must not be never."""
    back = known.moved(-now).moved(other).moved(now - other)
    assert all(abs(a - b) <= 2 for a, b in zip(back, known, strict=True))
    assert [bool(at) for at in known.moved(-now)] == [bool(at) for at in known]


def test_nobody_is_gone_because_there_was_no_server() -> None:
    at = 10_000 * SECOND
    known = Signs(at, at, at)
    later = at + 3_600 * SECOND
    assert seems(known, RULES, later) == "gone"
    assert seems(known, RULES, later, asked_since=later - 29 * SECOND) == "here"
    assert seems(known, RULES, later, asked_since=later - 30 * SECOND) == "gone"


@given(
    st.lists(st.tuples(st.sampled_from(("here", "idle", "gone")), st.integers(1, 8)), min_size=1)
)
def test_what_has_not_lasted_does_not_count(steps: list[tuple[Presence, int]]) -> None:
    looks: Look | None = None
    at, counted = 0, list[tuple[int, Presence]]()
    for presence, seconds in steps:
        at += seconds * SECOND
        looks = look(looks, presence, at)
        if is_steady(looks, at) and (not counted or counted[-1][1] != presence):
            counted.append((at, presence))
        assert looks.presence == presence and looks.since <= at
    assert all(later - earlier >= STEADY for (earlier, _), (later, _) in pairwise(counted))


# ── in the log ──


def test_each_change_is_in_the_log_once() -> None:
    room = PureRoom(members="a")
    for presence in ("here", "here", "gone", "gone", "here"):
        room.does(NotePresence("a", presence))
    found = [event.data["state"] for event in room.log if event.kind == "presence"]
    assert found == ["here", "gone", "here"]
    assert room.state.memberships["a"].presence == "here"


def test_nothing_is_noted_of_who_is_no_member() -> None:
    room = PureRoom(members="a")
    room.does(Remove("a"))
    assert room.does(NotePresence("a", "gone")) == room.does(NotePresence("x", "gone")) == []


def test_who_joins_again_has_not_been_here_yet() -> None:
    room = PureRoom(members="a")
    room.does(NotePresence("a", "here"))
    room.does(Remove("a"))
    room.joins("a")
    assert room.state.memberships["a"].presence is None


def test_a_question_is_answered_once_and_in_time() -> None:
    room = PureRoom(members="a")
    [asked] = room.does(AskPresence("a", 15 * SECOND))
    room.now += 15 * SECOND
    assert [event.kind for event in room.does(ConfirmPresence("a", asked.seq))] == [
        "presence_confirmed"
    ]
    assert (
        room.does(ConfirmPresence("a", asked.seq)) == room.does(EndQuestion("a", asked.seq)) == []
    )


def test_an_answer_that_comes_late_or_to_another_question_is_none() -> None:
    room = PureRoom(members="a")
    [asked] = room.does(AskPresence("a", 15 * SECOND))
    assert room.does(ConfirmPresence("a", asked.seq - 1)) == []
    room.now += 15 * SECOND + 1
    assert room.does(ConfirmPresence("a", asked.seq)) == []
    assert [event.kind for event in room.does(EndQuestion("a", asked.seq))] == [
        "presence_unanswered"
    ]
    assert room.does(EndQuestion("a", asked.seq)) == []


def test_only_a_member_is_asked_and_no_bot() -> None:
    room = PureRoom(members="a")
    assert room.refuses(AskPresence("x", SECOND)) == "not_member"
    room.does(Join("bot", "h", is_bot=True))
    assert room.does(AskPresence("bot", SECOND)) == []


@pytest.mark.parametrize("name", ["idle_after", "away_after", "gone_after"])
@pytest.mark.parametrize("value", [0, -1, "30", None, float("nan")])
def test_the_times_of_presence_are_seconds(name: str, value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=name):
        Rules(**{name: value})  # pyright: ignore[reportArgumentType]


def test_nobody_is_gone_sooner_than_pages_can_answer() -> None:
    assert Rules(gone_after=10).gone_after == 10
    with pytest.raises(ValueError, match="gone_after must be at least 10"):
        Rules(gone_after=9)
