"""When something is due by a room's clock, and that it is set off once."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import (
    AdvanceRoom,
    Close,
    Extend,
    Open,
    Start,
    Trigger,
)
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.triggers import Moment, due_at
from tests.unit.pure_room import SECOND, PureRoom

AT_120 = Moment(after=120)
LAST_MINUTE = Moment(before_close=60)


def a_room(**rules: Any) -> PureRoom:
    return PureRoom(rules=Rules(rate=None, **rules), members="ab")


def started(**rules: Any) -> PureRoom:
    room = a_room(**{"duration": 300, "starts": "code", **rules})
    room.does(Start())
    return room


def seconds(room: PureRoom, moment: Moment) -> float | None:
    """In how many seconds a moment is due."""
    due = due_at(room.state, moment)
    return None if due is None else (due - room.now) / SECOND


def sets_off(room: PureRoom, moment: Moment = AT_120, after: float = 0) -> list[dict[str, Any]]:
    """What is set off if that is asked after some seconds."""
    room.now += round(after * SECOND)
    asked = Trigger("at:mine", moment.name, moment)
    return [dict(event.data) for event in room.does(asked)]


def test_a_moment_counts_from_the_start() -> None:
    room = a_room(duration=300, starts="code")
    assert seconds(room, AT_120) is None and seconds(room, LAST_MINUTE) is None
    room.now += 1_000 * SECOND
    room.does(Start())
    assert (seconds(room, AT_120), seconds(room, LAST_MINUTE)) == (120, 240)


def test_without_a_start_it_counts_from_when_people_could_use_the_room() -> None:
    room = a_room()
    assert seconds(room, AT_120) == 120 and seconds(room, LAST_MINUTE) is None
    room.now += 500 * SECOND
    assert seconds(room, AT_120) == -380
    room.does(Close())
    assert seconds(room, AT_120) is None
    room.does(Open())
    assert seconds(room, AT_120) == 120


def test_a_moment_before_the_end_moves_with_it_and_one_after_the_start_does_not() -> None:
    room = started()
    room.does(Extend(90 * SECOND))
    assert (seconds(room, AT_120), seconds(room, LAST_MINUTE)) == (120, 330)


def test_time_in_which_it_stood_still_does_not_count() -> None:
    room = started(on_gone="wait")
    room.now += 50 * SECOND
    room.does(AdvanceRoom(frozenset("a"), frozenset("b")))
    assert room.state.clock.paused and seconds(room, AT_120) is None
    assert sets_off(room, after=100) == []
    room.does(AdvanceRoom(frozenset("ab"), frozenset()))
    assert (seconds(room, AT_120), seconds(room, LAST_MINUTE)) == (70, 190)
    room.does(AdvanceRoom(frozenset("a"), frozenset("b")))
    room.now += 10 * SECOND
    room.does(AdvanceRoom(frozenset("ab"), frozenset()))
    assert seconds(room, AT_120) == 70


def test_a_moment_longer_before_the_end_than_there_is_time_is_the_start() -> None:
    assert seconds(started(), Moment(before_close=900)) == 0


def test_it_is_set_off_when_it_is_due_and_not_before() -> None:
    room = started()
    assert sets_off(room, after=119.999) == []
    assert sets_off(room, after=0.001) == [{"callback": "at:mine", "name": "at 120"}]


@pytest.mark.parametrize("late", [179.999, 180, 900])
def test_nothing_is_set_off_once_the_time_is_over(late: float) -> None:
    """Though nobody has closed the room yet."""
    room = started()
    assert bool(sets_off(room, after=120 + late)) is (late < 180)


def test_nothing_is_set_off_in_a_closed_room() -> None:
    room = a_room()
    room.does(Close())
    assert sets_off(room, after=500) == []


def test_what_an_app_asks_for_needs_no_moment() -> None:
    room = a_room(duration=300, starts="code")
    [asked] = room.does(Trigger("bot:b", "ask", instruction="Sum up.", number="7"))
    assert asked.data == {"callback": "bot:b", "name": "ask", "instruction": "Sum up."}
    assert asked.cid == "trigger:bot:b:ask 7"


@pytest.mark.parametrize(
    ("moment", "name"),
    [
        (Moment(after=120), "at 120"),
        (Moment(after=0.5), "at 0.5"),
        (Moment(after=1_234_567.0), "at 1234567"),
        (Moment(before_close=60.0), "before_close 60"),
    ],
)
def test_a_moment_has_a_name(moment: Moment, name: str) -> None:
    assert moment.name == name


@given(
    st.lists(
        st.sampled_from(["start", "extend", "gone", "back", "close", "open", "wait", "ask"]),
        max_size=12,
    )
)
def test_whatever_happens_it_is_due_by_the_state_alone(steps: list[str]) -> None:
    """What the rule sets off is what was due, to the microsecond."""
    room = a_room(duration=300, starts="code", on_gone="wait")
    for step in steps:
        room.now += 40 * SECOND
        match step:
            case "start" if room.state.is_open:
                room.does(Start())
            case "extend" if room.state.is_open and not room.state.is_over(room.now):
                room.does(Extend(10 * SECOND))
            case "gone":
                room.does(AdvanceRoom(frozenset("a"), frozenset("b")))
            case "back":
                room.does(AdvanceRoom(frozenset("ab")))
            case "close":
                room.does(Close())
            case "open":
                room.does(Open())
            case _:
                pass
        for moment in (AT_120, LAST_MINUTE):
            due, state = due_at(room.state, moment), room.state
            is_due = due is not None and due <= room.now and not state.is_over(room.now)
            assert bool(sets_off(room, moment)) is is_due
