"""No setting leaves a room with a duration open for ever, whatever its people do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from shiny_labchat.domain.clock import LONGEST_PAUSE
from shiny_labchat.domain.commands import Extend, PressDone, Say, Start
from shiny_labchat.domain.due import PRESENT, advance_by, next_due
from shiny_labchat.domain.hours import moment
from shiny_labchat.domain.rules import Rules
from tests.unit.pure_room import SECOND, PureRoom

PEOPLE = "abc"
STEP = 5 * SECOND
OPENS = "2023-11-14T22:23:20+00:00"
"""Ten minutes after a `PureRoom` begins."""

_OPTIONS: dict[str, st.SearchStrategy[Any]] = {
    "duration": st.sampled_from([5.0, 60.0, 900.0]),
    "starts": st.sampled_from([None, "all_present", "open", "first_message", "code"]),
    "start_within": st.sampled_from([1.0, 30.0]),
    "warn": st.sampled_from([(), (60, 10)]),
    "ends": st.sampled_from(["time", "all_done", "any_done"]),
    "on_gone": st.sampled_from(["continue", "wait", "close"]),
    "grace": st.sampled_from([10.0, 60.0]),
    "min_messages": st.sampled_from([0, 2]),
    "max_messages": st.sampled_from([None, 1]),
    "min_characters": st.sampled_from([0, 50]),
    "max_characters": st.sampled_from([None, 20]),
    "min_seconds": st.sampled_from([0, 100]),
    "cooldown": st.sampled_from([None, 20.0]),
    "opens_at": st.sampled_from([None, OPENS]),
    "closes_at": st.sampled_from([None, "2023-11-14T22:40:00+00:00"]),
    "hours": st.sampled_from([None, ("23:00", "06:00", "UTC"), ("00:00", "12:00", "Asia/Tokyo")]),
    "turns": st.sampled_from([None, "round_robin", "code"]),
    "turn_seconds": st.sampled_from([5.0, 60.0]),
    "history": st.sampled_from(["all", "joined"]),
    "typing": st.booleans(),
    "presence": st.booleans(),
}
_RULES = st.fixed_dictionaries({"rate": st.none()}, optional=_OPTIONS).map(
    lambda given: Rules(**{"duration": 60.0, **given})
)


@dataclass
class Visit:
    """When somebody is there, in seconds since the beginning, and how often they write."""

    comes: int
    goes: int
    writes: int
    presses: bool

    def is_there(self, seconds: int) -> bool:
        return self.comes <= seconds < self.goes


_VISITS = st.lists(
    st.builds(
        Visit,
        comes=st.sampled_from([0, 5, 300]),
        goes=st.sampled_from([20, 400, 100_000]),
        writes=st.sampled_from([0, 5, 45]),
        presses=st.booleans(),
    ),
    min_size=len(PEOPLE),
    max_size=len(PEOPLE),
).filter(lambda visits: any(visit.comes < visit.goes for visit in visits))


def lived(rules: Rules, visits: list[Visit], until: int) -> PureRoom:
    """A room with virtual people, until it is closed, or so many seconds have passed."""
    room, begun = PureRoom(rules=rules, members=PEOPLE), None
    heard, asked = dict.fromkeys(PEOPLE, 0), False
    while room.state.is_open and (begun is None or room.now - begun < until * SECOND):
        begun = room.now if begun is None else begun
        seconds = (room.now - begun) // SECOND
        for member, visit in zip(PEOPLE, visits, strict=True):
            if visit.is_there(seconds):
                heard[member] = room.now
                acts(room, member, visit, seconds)
        if seconds >= 10 and not asked:
            asked = True
            room.refuses(Start())
            room.refuses(Extend(7 * SECOND))
        silences = {member: room.now - at for member, at in heard.items() if at}
        if room.state.is_open:
            room.does(advance_by(room.state, silences, room.now, begun))
        room.now = next_moment(room, begun)
    return room


def acts(room: PureRoom, member: str, visit: Visit, seconds: int) -> None:
    if visit.writes and seconds % visit.writes == 0:
        room.refuses(Say(member, "hello you", f"{member}{seconds}", "page"))
    if visit.presses and seconds % 50 == 0:
        room.refuses(PressDone(member))


def next_moment(room: PureRoom, begun: int) -> int:
    """The next step of time; later ones are longer."""
    due = next_due(room.state)
    step = STEP if room.now - begun < 1_000 * SECOND else 60 * SECOND
    return room.now + step if due is None or due <= room.now else min(due, room.now + step)


@settings(max_examples=60, deadline=None)
@given(_RULES, _VISITS)
def test_every_room_with_a_duration_is_closed_in_the_end(rules: Rules, visits: list[Visit]):
    assert rules.duration is not None
    begins = max(0, moment(OPENS) // SECOND - 1_700_000_000) if rules.opens_at else 0
    comes = max(300, begins) + PRESENT // SECOND
    longest = comes + rules.start_within + rules.duration + 7 + LONGEST_PAUSE // SECOND
    room = lived(rules, visits, round(longest) + 60)
    assert not room.state.is_open, room.log
