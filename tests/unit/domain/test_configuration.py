"""What code says of a room is a default: it does not undo what was configured since."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Rules
from shiny_labchat.domain.commands import Configure
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import Configuration, RoomState, fold
from tests.unit.pure_room import PureRoom


def room_of(**said: Any) -> PureRoom:
    """A room that code has made."""
    room = PureRoom.__new__(PureRoom)
    room.state, room.log, room.now = RoomState(), [], 1
    room.does(code(**said))
    return room


def code(**said: Any) -> Configure:
    return Configure("seed", **said, is_default=True)


def people(**said: Any) -> Configure:
    return Configure("seed", **said)


def test_code_that_says_the_same_as_before_changes_nothing() -> None:
    said = {"title": "T", "write": ("experimenter",), "rules": Rules(max_length=9)}
    room = room_of(**said)
    assert room.does(code(**said)) == []
    room.does(people(title="Ours", write=("participant",), rules=Rules(max_length=7)))
    ours = room.state.configuration
    assert room.does(code(**said)) == []
    assert room.state.configuration == ours


def test_code_that_says_nothing_changes_nothing() -> None:
    room = room_of(title="T")
    assert room.does(code()) == []
    assert room.state.title == room.state.code.title == "T"


def test_code_that_says_something_new_is_heard() -> None:
    room = room_of(title="Old", rules=Rules(max_length=9))
    (event,) = room.does(code(title="New", rules=Rules(max_length=9)))
    assert event.data == {"title": "New", "code": {"title": "New"}}
    assert room.state.configuration == Configuration("New", None, Rules(max_length=9))


def test_what_code_says_anew_changes_only_what_differs_from_what_it_said_before() -> None:
    room = room_of(title="T", rules=Rules(max_length=280, rate=2.0))
    room.does(people(rules=Rules(max_length=500, rate=2.0)))
    (event,) = room.does(code(title="T", rules=Rules(max_length=280, rate=1.0)))
    assert event.data["code"] == {"rules": {"rate": 1.0}}
    assert room.state.rules == Rules(max_length=500, rate=1.0)


def test_what_was_configured_stays_whatever_code_says_and_both_are_on_record() -> None:
    room = room_of(title="T")
    room.does(people(title="Ours"))
    (event,) = room.does(code(title="New"))
    assert event.data == {"code": {"title": "New"}}
    assert (room.state.title, room.state.code.title) == ("Ours", "New")
    assert room.does(code(title="New")) == [], "it is on record once"


def test_what_is_configured_as_code_says_follows_the_code_again() -> None:
    room = room_of(title="T")
    room.does(people(title="Ours"))
    room.does(people(title="T"))
    room.does(code(title="New"))
    assert room.state.title == "New"


def test_a_setting_that_code_has_never_given_belongs_to_who_configured_it() -> None:
    room = room_of()
    room.does(people(title="Ours"))
    room.does(code(title="Code's", write=("experimenter",)))
    assert room.state.configuration == Configuration("Ours", ("experimenter",))


def test_configuring_what_is_so_already_changes_nothing() -> None:
    room = room_of(title="T")
    assert room.does(people(title="T", rules=Rules())) == []


def test_in_a_log_without_code_everything_was_said_by_code() -> None:
    """An older version noted the settings only, and only code could set them."""
    room = room_of()
    old = {"title": "Old", "write": ["experimenter"], "rules": asdict(Rules(max_length=9))}
    room.takes(Event(2, 0, "configured", None, old))
    assert room.state.code == room.state.configuration
    same = code(title="Old", write=("experimenter",), rules=Rules(max_length=9))
    assert room.does(same) == []
    room.does(code(title="New"))
    assert room.state.title == "New"
    room.does(people(title="Ours"))
    room.takes(Event(room.state.seq + 1, 0, "configured", None, {"title": "Old"}))
    assert room.state.title == "Old", "a process of that version does what it always did"


titles = st.sampled_from(["A", "B", "C"])
writers = st.sampled_from([("observer",), ("experimenter",), ("participant", "experimenter")])
rules = st.builds(Rules, st.sampled_from([5, 6]), st.sampled_from([None, 1.0]), st.just(3))
settings = st.fixed_dictionaries({}, optional={"title": titles, "write": writers, "rules": rules})
configures = st.builds(
    lambda said, is_default: Configure("s", **said, is_default=is_default), settings, st.booleans()
)


def by_name(of: Configuration) -> dict[str, Any]:
    return {"title": of.title, "write": of.write, **asdict(of.rules)}


@given(settings, st.lists(configures, max_size=8), settings)
def test_each_setting_is_the_codes_or_of_who_configured_it(
    first: dict[str, Any], then: list[Configure], last: dict[str, Any]
) -> None:
    room = room_of(**first)
    for command in then:
        room.does(command)
    now, before = by_name(room.state.configuration), by_name(room.state.code)
    room.does(code(**last))
    after, said = by_name(room.state.configuration), by_name(room.state.code)
    for name in now:
        assert after[name] == (said[name] if now[name] == before[name] else now[name])
    assert room.does(code(**last)) == [], "said twice is said once"


@given(st.lists(configures, max_size=8))
def test_a_restart_reads_the_same_settings_from_the_log(said: list[Configure]) -> None:
    room = room_of()
    for command in said:
        room.does(command)
    state = RoomState()
    for event in room.log:
        stored = json.loads(json.dumps(dict(event.data)))
        state = fold(state, event._replace(data=stored))
    assert state == room.state


@given(st.lists(configures.map(lambda each: replace(each, is_default=True)), max_size=8))
def test_where_nobody_configures_the_room_is_as_code_last_said(said: list[Configure]) -> None:
    room = room_of()
    for command in said:
        room.does(command)
        assert room.state.configuration == room.state.code
