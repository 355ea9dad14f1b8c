"""What a newer version has written: it is ignored where it is not known, and nothing is lost."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Rules
from shiny_labchat.domain.commands import (
    Change,
    Clear,
    Close,
    Command,
    Configure,
    Disclose,
    EndStream,
    Join,
    Mute,
    Open,
    Post,
    Record,
    Remove,
    Say,
)
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.messages import message_of
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.protocol import item
from tests.unit.pure_room import PureRoom

GAP = 10
"""Room between the events of a log for those that are woven in."""

SETTINGS: list[Rules] = [Rules(rate=None), Rules(max_length=9), Rules(burst=3, max_composing=2)]
WRITERS: list[tuple[Role, ...] | None] = [None, ("participant",)]
COMMANDS: list[Command] = [
    *(Configure("seed", "T", write, rules) for rules in SETTINGS for write in WRITERS),
    Configure("seed", write=("experimenter", "observer")),
    *(Join(member, f"h-{member}", pseudonym="P {n}") for member in "abc"),
    Join("bot", "h-bot", "assistant", is_bot=True, shown="participant"),
    Change("a", "experimenter"),
    Change("b", pseudonym="B"),
    *(Say(member, "hello", f"c-{n}", "page") for n, member in enumerate("aabbc")),
    Say("a", "hello", "c-waits", "page", waits=True),
    Post([("markdown", "*")], member="bot"),
    Post([("text", "psst")], audience=["a"]),
    Post([], is_live=True),
    EndStream(3, [("text", "a stream")]),
    Record("note", {"x": 1}),
    Mute("b"),
    Remove("c"),
    Disclose("bot", to=("a",)),
    Disclose("bot"),
    Close("over"),
    Open(),
    Clear(),
    Clear("a"),
]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(),
    lambda each: st.lists(each, max_size=2) | st.dictionaries(st.text(), each, max_size=2),
    max_leaves=4,
)
# Also names that the state has, but no event gives.
names = st.text().map("new {}".format) | st.sampled_from(
    ["member", "joined", "tokens", "spoke", "view_from", "known_to", "is_removed", "self", "state"]
    + ["seq", "cleared", "told", "memberships", "unknown_rules", "is_open", "event", "changes"]
)
unknown = st.dictionaries(names, values, max_size=3)


@st.composite
def logs(draw: st.DrawFn) -> list[Event]:
    """A log that this version has written, with gaps between its events."""
    room = PureRoom(members="ab")
    for command in draw(st.lists(st.sampled_from(COMMANDS), max_size=25)):
        room.refuses(command)
    return [event._replace(seq=event.seq * GAP) for event in as_stored(room.log)]


def as_stored(log: Sequence[Event]) -> list[Event]:
    return [event._replace(data=json.loads(json.dumps(dict(event.data)))) for event in log]


@st.composite
def woven(draw: st.DrawFn, log: Sequence[Event]) -> list[Event]:
    """The same log with invented kinds of events, keys and rules in it."""
    found: list[Event] = []
    for event in log:
        data = {**draw(unknown), **event.data}
        if "rules" in data:
            data["rules"] = {**draw(unknown), **data["rules"]}
        found.append(event._replace(data=data))
        for n in range(draw(st.integers(0, 2))):
            kind, member = draw(st.text().map("new {}".format)), draw(st.sampled_from(["a", None]))
            given = draw(unknown | st.just(dict(event.data)))
            found.append(Event(event.seq + n + 1, event.at, kind, member, given))
    return found


def folded(log: Sequence[Event]) -> RoomState:
    state = RoomState()
    for event in log:
        state = fold(state, event)
    return state


def known(state: RoomState) -> RoomState:
    """A state without what a newer version alone knows."""
    return state._replace(seq=0, unknown_rules={})


@given(st.data())
def test_what_is_not_known_changes_nothing_of_a_state(data: st.DataObject) -> None:
    log = data.draw(logs())
    more = data.draw(woven(log))
    before = [dict(event.data) for event in more]
    assert known(folded(more)) == known(folded(log))
    assert [event.data for event in more] == before, "the events keep all of it"


@given(st.data())
def test_what_is_not_known_changes_nothing_that_is_shown_or_read(data: st.DataObject) -> None:
    log = data.draw(logs())
    more = data.draw(woven(log))
    assert [shown for event in more if (shown := item(event, "seed"))] == [
        shown for event in log if (shown := item(event, "seed"))
    ]
    states = folded(log), folded(more)
    heard = [
        Conversation(events).seen(state, state.memberships["a"], state.seq)
        for events, state in zip((log, more), states, strict=True)
    ]
    assert heard[0] == heard[1]


@given(st.data())
def test_unknown_rules_are_those_that_were_set_last(data: st.DataObject) -> None:
    more = data.draw(woven(data.draw(logs())))
    last: dict[str, Any] = {}
    for event in more:
        if event.kind == "configured":
            last |= event.data.get("rules", {})
    assert folded(more).unknown_rules == {k: v for k, v in last.items() if k not in asdict(Rules())}


@given(st.dictionaries(st.sampled_from([*asdict(Rules())]) | names, values))
def test_a_rule_that_is_refused_is_what_it_was_before(given: Mapping[str, Any]) -> None:
    before = fold(RoomState(), configured(1, max_length=7, rate=None))
    after = fold(before, configured(2, **given))
    for name, value in asdict(after.rules).items():
        is_taken = name in given and name not in after.unknown_rules
        wanted = given[name] if is_taken else asdict(before.rules)[name]
        assert value == (tuple(wanted) if isinstance(wanted, list) else wanted)


def configured(seq: int, /, **rules: Any) -> Event:
    return Event(seq, 0, "configured", None, {"rules": rules})


def test_rules_that_an_event_does_not_name_stay() -> None:
    state = fold(RoomState(), configured(1, max_length=7, rate=None))
    assert fold(state, configured(2, burst=3)).rules == Rules(7, None, 3)


def test_setting_rules_keeps_those_of_a_newer_version() -> None:
    room = PureRoom(members="a")
    room.takes(configured(room.state.seq + 1, max_words=50, rate="adaptive", burst=4))
    (event,) = room.does(Configure("seed", rules=Rules(max_length=9, rate=None, burst=4)))
    assert event.data["rules"] == {
        **asdict(Rules(max_length=9, rate=None, burst=4)),
        "max_words": 50,
        "rate": "adaptive",
    }
    assert room.does(Configure("seed", rules=Rules(max_length=9, rate=None, burst=4))) == []


def test_a_rule_that_is_set_anew_replaces_what_was_not_readable() -> None:
    room = PureRoom(members="a")
    room.takes(configured(room.state.seq + 1, rate="adaptive"))
    (event,) = room.does(Configure("seed", rules=Rules(rate=3.0)))
    assert event.data["rules"]["rate"] == 3.0
    assert room.state.rules == Rules(rate=3.0) and room.state.unknown_rules == {}


def test_a_member_in_an_unknown_role_may_read_only() -> None:
    room = PureRoom(members="ab")
    room.takes(Event(room.state.seq + 1, 0, "changed", "a", {"role": "moderator"}))
    assert room.state.memberships["a"].role == "observer"
    assert (room.says("a"), room.says("b")) == ("read_only", None)


def test_who_is_shown_in_an_unknown_role_is_not_disclosed() -> None:
    room = PureRoom()
    data = {"handle": "h", "pseudonym": "P", "role": "assistant", "is_bot": True, "shown": "new"}
    room.takes(Event(room.state.seq + 1, 0, "joined", "bot", data))
    assert room.state.memberships["bot"].role_for(None) == "observer"


def test_unknown_roles_are_no_roles_that_may_write() -> None:
    room = PureRoom(members="a")
    room.takes(
        Event(room.state.seq + 1, 0, "configured", None, {"write": ["moderator", "experimenter"]})
    )
    assert room.state.write == ("experimenter",)
    assert room.does(Configure("seed", write=("experimenter",))) == [], "nothing is overwritten"


def test_a_clearing_of_an_unknown_scope_clears_nothing() -> None:
    room = PureRoom(members="a")
    room.says("a")
    before = room.state
    room.takes(cleared := Event(room.state.seq + 1, 0, "cleared", "a", {"scope": "images"}))
    assert room.state == before._replace(seq=cleared.seq)
    assert not room.state.shows(room.state.memberships["a"], cleared)


@given(st.lists(st.tuples(names, values), max_size=2))
def test_parts_of_unknown_kinds_are_no_text_of_a_message(more: list[tuple[str, Any]]) -> None:
    parts = [["text", "hi"], *map(list, more)]
    event = Event(1, 0, "message", None, {"role": "user", "parts": parts})
    assert message_of(event).content == "hi"
    shown = json.loads(item(event, "seed") or "")
    assert shown.get("parts", [["text", shown.get("text")]])[0] == ["text", "hi"]


def test_a_message_in_an_unknown_role_is_read_and_shown_as_a_persons() -> None:
    event = Event(1, 0, "message", None, {"role": "moderator", "parts": [("text", "hi")]})
    assert message_of(event).role == "user"
    assert "role" not in json.loads(item(event, "seed") or "")
