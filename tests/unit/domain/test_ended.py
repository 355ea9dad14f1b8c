"""Where people go at their end, what is due to them, and what was recorded about them."""

from __future__ import annotations

from typing import Any

import pytest

from shiny_labchat import End
from shiny_labchat.domain.commands import (
    Arrive,
    Consent,
    DescribeStudy,
    EndPerson,
    Pay,
    PayOut,
    RecordAnswer,
)
from shiny_labchat.domain.ended import (
    address_at_end,
    condition_text,
    due,
    end_at,
    in_units,
    unsaid_ends,
)
from shiny_labchat.domain.ends import REASONS, data_of
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.records import records_in, records_of, took_part
from shiny_labchat.errors import Refused
from tests.support.study import Logs

STUDY = LogKey("s", "s", "study")
URL = "https://x.test/{room}/?cc={code}&who={id}&c={condition}&m={member}&b={bonus}"


def logs(*people: str, **settings: Any) -> Logs:
    made = Logs()
    made.does(DescribeStudy("s", "seed", settings))
    for person in people:
        made.does(Arrive("s", person))
    return made


def grouped(made: Logs, *people: str, condition: Any = None) -> None:
    data = {"lobby": "l", "number": 1, "room": "r 1", "people": people, "condition": condition}
    made.add(STUDY, "grouped", **data)


def test_nobody_arrives_in_a_study_of_which_nothing_is_known():
    with pytest.raises(Refused, match="not_in_study"):
        Logs().does(Arrive("s", "ann"))


def test_an_address_has_the_values_of_its_person():
    ends = {"complete": data_of(End("C1", URL))}
    made = logs("ann", ends=ends)
    grouped(made, "ann", condition={"profile": "hidden", "leader": "yes"})
    made.does(Pay("s", "ann", "group", 210))
    assert address_at_end(made.study, made.person("ann"), {}) is None
    made.add(STUDY, "ended", "ann", reason="complete")
    found = address_at_end(made.study, made.person("ann"), {"id": "5f/3c"})
    assert found == (
        "https://x.test/r%201/?cc=C1&who=5f%2F3c&c=profile%3Dhidden%2C%20leader%3Dyes&m=ann&b=2.10"
    )


def test_without_an_address_nobody_is_sent_anywhere():
    made = logs("ann", "ben", ends={"complete": data_of(End("C1"))})
    made.does(EndPerson("s", "ann", "complete"))
    made.does(EndPerson("s", "ben", "idle"))
    for person in ("ann", "ben"):
        assert address_at_end(made.study, made.person(person), {}) is None
    assert end_at(made.study, made.person("ann")) == End("C1")
    assert end_at(made.study, made.person("ben")) is None


def test_due_are_payments_and_an_ends_amount_less_what_was_sent():
    made = logs("ann", ends={"lobby_timeout": data_of(End(pay=1.5)), "complete": data_of(End())})

    def is_due() -> int:
        return due(made.study, made.person("ann"))

    assert is_due() == 0
    made.does(Pay("s", "ann", "group", 200))
    assert is_due() == 200
    made.does(PayOut("s", "ann", "first", 200))
    assert made.does(PayOut("s", "ann", "first", 200)) == [] and is_due() == 0
    made.does(EndPerson("s", "ann", "lobby_timeout"))
    assert is_due() == 150
    made.does(PayOut("s", "ann", "second", 150))
    assert is_due() == 0


def test_what_an_end_says_in_words_is_the_recruiters():
    made = logs("ann", ends={"complete": data_of(End(pay="partial"))})
    made.does(EndPerson("s", "ann", "complete"))
    assert due(made.study, made.person("ann")) == 0


def test_a_study_with_ends_leaves_out_some_that_come_without_its_doing():
    assert unsaid_ends({}) == unsaid_ends({"has_lobby": True, "ends": {}}) == []
    ends = {"complete": {}, "withdrew": {}}
    assert unsaid_ends({"ends": ends}) == ["removed"]
    waiting = ["removed", "lobby_timeout", "not_ready", "idle", "group_dissolved"]
    assert unsaid_ends({"ends": ends, "has_lobby": True}) == waiting
    assert unsaid_ends({"ends": dict.fromkeys(REASONS, {}), "has_lobby": True}) == []


@pytest.mark.parametrize(("cents", "text"), [(0, "0.00"), (5, "0.05"), (123456, "1234.56")])
def test_amounts_have_two_decimals(cents: int, text: str):
    assert in_units(cents) == text


@pytest.mark.parametrize(("condition", "text"), [(None, None), ("calm", "calm"), (3, "3")])
def test_a_condition_is_one_line(condition: Any, text: str | None):
    assert condition_text(condition) == text


def test_the_latest_record_of_each_kind_counts():
    made = logs("ann", "ben")
    grouped(made, "ben", "ann")
    for person, kind, value in (("ann", "a", 1), ("ann", "b", 2), ("ben", "a", 3), ("ann", "a", 4)):
        made.does(RecordAnswer("s", person, kind, value))
    all_of_room = records_in(made.study, "r 1")
    assert [(r.member, r.kind, r.data) for r in all_of_room] == [
        ("ben", "a", 3),
        ("ann", "a", 4),
        ("ann", "b", 2),
    ]
    assert all_of_room[1].at > all_of_room[2].at
    assert records_in(made.study, "another") == []
    assert [r.data for r in records_of([made.person("ann")], "b")] == [2]


@pytest.mark.parametrize(
    ("reason", "counts"),
    [("complete", True), ("group_dissolved", True), ("withdrew", False), ("removed", False)],
)
def test_what_was_recorded_about_who_is_led_out_counts_and_of_who_drops_out_it_does_not(
    reason: str, counts: bool
):
    made = logs("ann", "ben")
    grouped(made, "ben", "ann")
    made.does(RecordAnswer("s", "ann", "choice", 1))
    made.add(STUDY, "ended", "ann", reason=reason)
    assert [each.member for each in records_in(made.study, "r 1")] == ["ann"] * counts


@pytest.mark.parametrize("reason", ["complete", "withdrew", "screened_out", "lobby_timeout"])
def test_who_has_begun_has_taken_part(reason: str):
    made = logs("ann")
    made.does(EndPerson("s", "ann", reason))
    assert took_part(made.study, "ann") and not took_part(made.study, "ben")


@pytest.mark.parametrize("reason", ["closed", "full", "incompatible", "already_took_part"])
def test_who_was_not_let_in_has_not_taken_part(reason: str):
    made = logs("ann")
    made.does(EndPerson("s", "ann", reason))
    assert not took_part(made.study, "ann")


def test_who_has_not_consented_has_not_taken_part():
    made = logs("ann", consent={"text": "You will talk.", "version": "1"})
    assert not took_part(made.study, "ann")
    made.does(Consent("s", "ann", "1"))
    assert took_part(made.study, "ann")
