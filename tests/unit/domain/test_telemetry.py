"""What rooms ask of pages about how people write, and what they keep of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import Rules
from shiny_labchat.domain.commands import Say
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.shown_item import shown_item
from shiny_labchat.domain.shown_state import shown_state
from shiny_labchat.domain.telemetry import BOUNDS, MOST_TIMES, asked_of, told_in_consent
from shiny_labchat.domain.withdrawal import Renaming, rewritten
from shiny_labchat.errors import BadFrame
from shiny_labchat.protocol import Send, decode
from shiny_labchat.words import CATALOGUE, ENGLISH
from tests.unit.pure_room import PureRoom

SENT: dict[str, Any] = {name: n for n, name in enumerate(BOUNDS)} | {"rhythm": [120, 80]}
COUNTS = {name: value for name, value in SENT.items() if name != "rhythm"}
SAID = Say("a", "hi", "c", "page", typed=SENT)


def frame(typed: object) -> str:
    return json.dumps({"t": "send", "cid": "c", "text": "hi", "typed": typed})


def sent(typed: object) -> object:
    decoded = decode(frame(typed))
    assert isinstance(decoded, Send)
    return decoded.typed


# ── from the page ──


def test_what_a_page_counts_is_read_and_what_a_newer_one_counts_is_left_out() -> None:
    assert sent({**SENT, "mood": "good"}) == SENT
    assert sent({}) == {}
    decoded = decode('{"t": "send", "cid": "c", "text": "hi"}')
    assert isinstance(decoded, Send) and decoded.typed is None


wrong = st.none() | st.booleans() | st.text() | st.floats() | st.integers(max_value=-1)


@given(st.sampled_from([*BOUNDS]), wrong | st.integers(min_value=10**12 + 1))
def test_a_count_of_another_kind_or_beyond_its_bound_is_no_frame(name: str, value: object) -> None:
    with pytest.raises(BadFrame):
        sent({name: value})


@pytest.mark.parametrize("name", BOUNDS)
def test_a_count_at_its_bound_is_read(name: str) -> None:
    assert sent({name: BOUNDS[name]}) == {name: BOUNDS[name]}
    with pytest.raises(BadFrame):
        sent({name: BOUNDS[name] + 1})


@pytest.mark.parametrize(
    "typed", [None, [], "x", 1, {"rhythm": None}, {"rhythm": {}}, {"rhythm": [1, "a"]},
              {"rhythm": [-1]}, {"rhythm": [0] * (MOST_TIMES + 1)}]
)  # fmt: skip
def test_what_is_no_counts_is_no_frame(typed: object) -> None:
    with pytest.raises(BadFrame):
        sent(typed)


# ── what is kept ──


@pytest.mark.parametrize(
    ("rules", "kept"),
    [
        (Rules(), None),
        (Rules(telemetry="counts"), COUNTS),
        (Rules(telemetry="rhythm"), SENT),
        (Rules(paste="mark"), {"pasted_chars": SENT["pasted_chars"]}),
        (Rules(telemetry="counts", paste="mark"), COUNTS),
    ],
)
def test_a_room_keeps_what_it_asks_for(rules: Rules, kept: dict[str, Any] | None) -> None:
    room = PureRoom(rules=rules, members="a")
    [message] = room.does(SAID)
    assert message.data.get("typed") == kept
    [held] = room.does(Say("a", "hi", "d", "page", True, SENT))
    assert held.data.get("typed") == kept
    again = HeldMessage.of(held)
    [submitted] = room.does(again.resubmit("other"))
    [published] = room.does(HeldMessage.of(submitted).publish("HI"))
    assert published.data.get("typed") == kept
    assert HeldMessage.of(submitted).typed == kept


def test_a_message_without_counts_is_as_ever() -> None:
    room = PureRoom(rules=Rules(telemetry="rhythm", paste="refuse"), members="a")
    [message] = room.does(Say("a", "hi", "c", "page"))
    assert "typed" not in message.data


def test_what_was_pasted_is_refused_where_nothing_may_be() -> None:
    room = PureRoom(rules=Rules(paste="refuse"), members="a")
    assert room.refuses(SAID) == "pasted"
    assert room.refuses(Say("a", "hi", "c", "page", typed={**SENT, "pasted_chars": 0})) is None


@pytest.mark.parametrize("telemetry", ["counts", "rhythm"])
def test_nobody_is_shown_it_and_a_withdrawal_takes_it(telemetry: Any) -> None:
    room = PureRoom(rules=Rules(telemetry=telemetry), members="a")
    [message] = room.does(SAID)
    assert "typed" not in (shown_item(message, "seed") or {})
    [held] = room.does(Say("a", "hi", "d", "page", True, SENT))
    for event in (message, held):
        assert "typed" not in rewritten(event, Renaming("a", "withdrawn-0123456789abcdef")).data


# ── what pages are asked ──


@pytest.mark.parametrize(
    ("rules", "asked"),
    [
        (Rules(), None),
        (Rules(telemetry="counts"), "counts"),
        (Rules(telemetry="rhythm", paste="mark"), "rhythm"),
        (Rules(paste="mark"), "pasted"),
        (Rules(paste="refuse"), "pasted"),
    ],
)
def test_a_page_is_asked_only_for_what_is_kept(rules: Rules, asked: str | None) -> None:
    assert asked_of(rules) == asked
    room = PureRoom(rules=rules, members="a")
    shown = shown_state(room.state, room.state.memberships["a"], ENGLISH)
    assert shown.get("typed") == asked and ("typed" in shown) == (asked is not None)
    assert ("no_paste" in shown) == (rules.paste == "refuse")


def test_a_rule_that_there_is_not_is_refused() -> None:
    wrong: Any = "all"
    with pytest.raises(ValueError, match="telemetry"):
        Rules(telemetry=wrong)
    with pytest.raises(ValueError, match="paste"):
        Rules(paste=wrong)


# ── the consent ──


@pytest.mark.parametrize(
    ("rules", "keys"),
    [
        ([], []),
        ([{}, {"paste": "refuse"}, {"max_length": 5}], []),
        ([{"telemetry": "counts"}, {}], ["consent.telemetry.counts"]),
        ([{"telemetry": "rhythm"}, {"telemetry": "counts"}], ["consent.telemetry.rhythm"]),
        ([{"telemetry": "of a newer version"}], []),
        ([{"paste": "mark"}], ["consent.paste"]),
        ([{"paste": "mark"}, {"telemetry": "counts"}], ["consent.telemetry.counts"]),
    ],
)
def test_the_consent_says_what_most_is_recorded(rules: list[Any], keys: list[str]) -> None:
    assert told_in_consent(rules) == keys
    assert all(key in words for key in keys for words in CATALOGUE.values())
