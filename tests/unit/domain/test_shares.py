"""How much each member has written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.commands import Disclose, Join, Remove
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.shares import shares_of, speakers_in
from tests.unit.pure_room import PureRoom


def said(member: str | None, text: str) -> Message:
    return Message(1, "m1", text, "user", member, member, datetime(2026, 1, 1, tzinfo=UTC))


def test_shares_are_of_characters_and_of_members_alone() -> None:
    talk = [said("a", "abc"), said("b", "x"), said(None, "Welcome!"), said("gone", "bye")]
    assert shares_of(talk, ["b", "a", "c"]) == {"b": 0.25, "a": 0.75, "c": 0.0}


def test_nobody_has_a_share_of_nothing() -> None:
    assert shares_of([], ["a", "b"]) == {"a": 0.0, "b": 0.0}


@given(st.lists(st.tuples(st.sampled_from("abc"), st.text(max_size=9))))
def test_shares_add_up(talk: list[tuple[str, str]]) -> None:
    shares = shares_of([said(*each) for each in talk], "abc")
    assert sum(shares.values()) == pytest.approx(1.0 if any(t for _, t in talk) else 0.0)


def test_who_is_shown_as_a_participant_counts() -> None:
    room = PureRoom(members="ab")
    room.does(Join("o", "h-o", "observer", "Observer"))
    bot: dict[str, Any] = {"role": "assistant", "by_page": True, "is_bot": True}
    room.does(Join("helper", "h-h", **bot))
    room.does(Join("mole", "h-m", shown="participant", **bot))
    assert speakers_in(room.state) == ["a", "b", "mole"]
    room.does(Disclose("mole"))
    room.does(Remove("a"))
    assert speakers_in(room.state) == ["b"]
