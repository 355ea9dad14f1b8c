"""Which messages can be retracted, what that says in the log, and what is left for whom."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat import protocol
from shiny_labchat.domain.commands import EndStream, Retract
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import settled, was_said
from shiny_labchat.domain.withdrawal import Renaming, changes_the_past, rewritten
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.window import Window
from tests.unit.pure_room import PureRoom

SEED = "seed"


def said(**data: Any) -> Event:
    return Event(3, 1_000_000, "message", "a", {"role": "user", "parts": [("text", "hi")], **data})


def retracted(event: Event, seq: int = 9) -> Event:
    return event._replace(data={**event.data, "retracted": seq})


def retract(room: PureRoom, message: Event | None, **more: Any) -> list[Event]:
    return room.does(Retract(3, "rude", message=message, **more))


def test_a_retraction_is_of_the_author_and_has_the_reason_and_the_audience() -> None:
    [event] = retract(PureRoom(members="ab"), said(audience=["b"]))
    assert (event.kind, event.member) == ("retracted", "a")
    assert event.data == {"of": 3, "reason": "rude", "audience": ["b"]}
    assert changes_the_past(event)


def test_what_was_retracted_is_not_retracted_again() -> None:
    assert retract(PureRoom(members="a"), retracted(said())) == []


@pytest.mark.parametrize("message", [None, Event(3, 1, "joined", "a", {"handle": "h"})])
def test_what_is_no_message_is_not_retracted(message: Event | None) -> None:
    assert PureRoom(members="a").refuses(Retract(3, message=message)) == "no_message"


@pytest.mark.parametrize("data", [{"is": "withheld"}, {"is": "failed"}])
def test_a_stream_that_has_left_nothing_is_not_retracted(data: dict[str, Any]) -> None:
    end = Event(4, 2, "streamed", None, {"of": 3, "parts": [], **data})
    command = Retract(3, message=said(live=True, parts=[]), end=end)
    assert PureRoom(members="a").refuses(command) == "no_message"


def test_a_stream_that_runs_is_ended_first_with_what_it_has_said() -> None:
    ending = EndStream(3, [("text", "so far")], "stopped")
    room = PureRoom(members="a")
    end, event = retract(room, said(live=True, parts=[]), ending=ending, upto=7, newest=7)
    assert (end.kind, end.cid, end.data["is"]) == ("streamed", "stream:3", "stopped")
    assert end.data["parts"] == [("text", "so far")] and end.data["retracted"] == event.seq
    assert (event.seq, event.data["of"]) == (end.seq + 1, 3)
    assert room.state.seq == event.seq


def test_a_stream_that_has_grown_since_is_looked_at_again() -> None:
    ending = EndStream(3, [("text", "so far")], "stopped")
    grown = {"ending": ending, "upto": 7, "newest": 8}
    assert retract(PureRoom(members="a"), said(live=True), **grown) == []


# ── what is left ──


def test_a_retracted_message_is_none_for_pages_and_readers() -> None:
    event = retracted(said())
    assert not was_said(event) and protocol.item(event, SEED) is None
    conversation = Conversation([said(), retracted(said()._replace(seq=4))])
    assert [message.seq for message in conversation.public(0)] == [3]
    assert conversation.retracted == {4}
    event = Event(5, 1, "retracted", "a", {"of": 4, "reason": None})
    assert Conversation([said(), event]).retracted == {4}, "or by the event alone"


def test_a_retracted_stream_is_none_whichever_of_its_rows_is_read() -> None:
    opening = retracted(said(live=True, parts=[]))
    end = retracted(
        Event(5, 2, "streamed", None, {"of": 3, "is": "done", "parts": [("text", "x")]})
    )
    assert not was_said(settled(opening, end)) and not was_said(end)
    assert protocol.item(end, SEED) is None
    assert Conversation([opening, end]).told(0) == ()


def test_pages_are_told_the_id_of_the_message_and_nothing_else() -> None:
    event = Event(9, 1, "retracted", "a", {"of": 3, "reason": "rude"})
    item = json.loads(protocol.item(event, SEED) or "")
    message = json.loads(protocol.item(said(), SEED) or "")
    assert item == {"k": "retracted", "id": item["id"], "of": message["id"]}


def test_only_who_may_see_the_message_is_told() -> None:
    room = PureRoom(members="abc")
    [event] = retract(room, said(audience=["b"]))
    told = [room.state.shows(room.state.memberships[each], event) for each in "abc"]
    assert told == [True, True, False]


def test_a_window_has_retractions_for_those_who_come_back() -> None:
    window = Window(SEED)
    window.keep([retracted(said()), Event(4, 1, "retracted", "a", {"of": 3, "reason": None})])
    assert [event.kind for event, _ in window.after(2)] == ["retracted"]


def test_a_withdrawal_takes_the_reason_too_and_the_message_stays_retracted() -> None:
    renaming = Renaming("a", "withdrawn-0123456789abcdef")
    event = Event(9, 1, "retracted", "a", {"of": 3, "reason": "said: hi"})
    assert rewritten(event, renaming).data == {"of": 3, "reason": None}
    left = rewritten(retracted(said()), renaming)
    assert left.data["retracted"] == 9 and left.data["parts"] == []


@given(st.data())
def test_whatever_is_retracted_the_rest_is_as_if_it_had_not_been(data: st.DataObject) -> None:
    """Of all ways to read a room's events, none has more or less than the log says."""
    messages = [
        Event(seq, seq, "message", "a", {"role": "user", "parts": [("text", f"{seq}")]})
        for seq in range(1, 20)
    ]
    gone = data.draw(st.sets(st.sampled_from([event.seq for event in messages])))
    left = [e._replace(data={**e.data, "retracted": 99}) if e.seq in gone else e for e in messages]
    whole = Conversation(left)
    seqs = [message.seq for message in whole.public(0)]
    assert seqs == [event.seq for event in messages if event.seq not in gone]
    assert whole.retracted == gone and seqs == [e.seq for e in left if was_said(e)]
