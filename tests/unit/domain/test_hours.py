"""When a room is open by the clock on the wall."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Rules
from shiny_labchat.domain.hours import Hours, is_within, moment, next_edge
from shiny_labchat.domain.rules import next_opening, shut
from tests.unit.pure_room import SECOND

DAY: Hours = ("08:00", "22:00", "Europe/Berlin")
NIGHT: Hours = ("22:00", "06:00", "Europe/Berlin")


def at(text: str) -> int:
    return moment(f"{text}+01:00")


@pytest.mark.parametrize(
    ("hours", "time", "is_open"),
    [
        (DAY, "2026-11-30T07:59:59.999999", False),
        (DAY, "2026-11-30T08:00", True),
        (DAY, "2026-11-30T21:59:59.999999", True),
        (DAY, "2026-11-30T22:00", False),
        (NIGHT, "2026-11-30T22:00", True),
        (NIGHT, "2026-12-01T05:59", True),
        (NIGHT, "2026-12-01T06:00", False),
        (NIGHT, "2026-12-01T12:00", False),
        (("00:00", "00:30", "Asia/Tokyo"), "2026-11-30T16:10", True),
    ],
)
def test_hours_begin_with_their_first_moment_and_end_before_their_last(
    hours: Hours, time: str, is_open: bool
):
    assert is_within(hours, at(time)) is is_open


def test_hours_are_those_of_the_wall_clock_when_it_is_set():
    """Berlin's clocks are set back on 25 October 2026: that day is 25 hours long."""
    opens = moment("2026-10-24T08:00+02:00")
    closes = next_edge(DAY, opens)
    assert closes - opens == 14 * 3600 * SECOND
    assert next_edge(DAY, closes) - closes == 11 * 3600 * SECOND


EDGES = st.times().map(lambda time: time.isoformat("minutes"))
ZONES = st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kathmandu", "Pacific/Apia"])
HOURS = st.tuples(EDGES, EDGES, ZONES).filter(lambda hours: hours[0] != hours[1])
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1)).map(
    lambda time: moment(time.replace(tzinfo=UTC).isoformat())
)


@given(HOURS, TIMES)
def test_nothing_changes_before_the_next_edge(hours: Hours, time: int):
    edge = next_edge(hours, time)
    assert time < edge <= time + 50 * 3600 * SECOND
    for between in (time, (time + edge) // 2, edge - 1):
        assert is_within(hours, between) is is_within(hours, time)


def test_a_room_with_an_opening_opens_then_and_then_has_its_hours():
    rules = Rules(opens_at="2026-11-30T23:00:00+01:00", hours=DAY)
    opens = at("2026-11-30T23:00")
    assert shut(rules, opens - 1) == "not_yet" and next_opening(rules, opens - 1) == opens
    assert shut(rules, opens) == "out_of_hours"
    assert next_opening(rules, opens) == at("2026-12-01T08:00")
    assert shut(Rules(), opens) is None and next_opening(Rules(), opens) is None


def test_a_moment_is_kept_as_text_and_read_to_the_microsecond():
    given = datetime(2026, 11, 30, 18, 0, 0, 1, timezone(timedelta(hours=1)))
    rules = Rules(closes_at=given)
    assert rules.closes_at == "2026-11-30T18:00:00.000001+01:00"
    assert rules == Rules(closes_at=rules.closes_at)
    assert moment(str(rules.closes_at)) == at("2026-11-30T18:00") + 1
    assert Rules(opens_at="2026-11-30T17:00:00Z").opens_at == "2026-11-30T17:00:00+00:00"


@pytest.mark.parametrize(
    "wrong",
    [
        {"opens_at": "2026-11-30T18:00"},
        {"closes_at": datetime(2026, 11, 30)},
        {"closes_at": "tomorrow"},
        {"closes_at": 5},
        {"hours": "08:00"},
        {"hours": ("08:00", "22:00")},
        {"hours": ("08:00", "22:00", "Berlin")},
        {"hours": ("08:00", "22:00", "../etc/passwd")},
        {"hours": ("8", "22:00", "Europe/Berlin")},
        {"hours": ("08:00", "08:00", "Europe/Berlin")},
        {"hours": ("08:00+01:00", "22:00", "Europe/Berlin")},
        {"max_messages": 0},
        {"max_characters": 0},
        {"min_characters": -1},
        {"min_seconds": -1},
        {"min_seconds": float("inf")},
        {"cooldown": 0},
        {"turns": "random"},
        {"turn_seconds": 0},
        {"history": "none"},
        {"typing": 1},
        {"presence": "no"},
    ],
)
def test_rules_are_checked(wrong: dict[str, Any]):
    with pytest.raises((TypeError, ValueError), match=next(iter(wrong))):
        Rules(**wrong)
