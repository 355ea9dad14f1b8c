"""What a viewer is shown of whose turn it is, of what they may send, and of a room's hours."""

from __future__ import annotations

from typing import Any

from shiny_labchat.domain.commands import AdvanceRoom, Join, PassTurn, SetRules, Start
from shiny_labchat.domain.hours import moment
from shiny_labchat.domain.limits import may_type
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.shown_state import shown_state
from shiny_labchat.words import ENGLISH, Words
from tests.unit.pure_room import SECOND, PureRoom

OPENS = "2026-11-30T18:00:00+01:00"
HOURS = ("08:00", "22:00", "Europe/Berlin")


def ruled(**rules: Any) -> PureRoom:
    room = PureRoom(rules=Rules(rate=None, **rules), members="ab")
    room.does(AdvanceRoom(frozenset("ab")))
    return room


def shown(room: PureRoom, member: str = "a", words: Words = ENGLISH) -> dict[str, Any]:
    return shown_state(room.state, room.state.memberships[member], words, room.now)


def test_a_viewer_is_told_whose_turn_it_is_and_how_long() -> None:
    room = ruled(turns="round_robin", turn_seconds=60)
    name = room.state.memberships["a"].pseudonym
    room.now += 20 * SECOND
    mine = {"is": "mine", "name": name, "left": 40_000, "say": "It is your turn."}
    assert shown(room)["turn"] == {**mine, "text": "It is your turn: {time} left."}
    assert "hold" not in shown(room)
    others = shown(room, "b")
    assert others["turn"]["text"] == "It is {name}'s turn: {time} left."
    assert others["turn"]["say"] == f"It is {name}'s turn."
    assert others["write"] and others["hold"]["code"] == "not_your_turn", "they may type, not send"


def test_a_turn_without_an_end_says_only_whose_it_is() -> None:
    room = ruled(turns="code")
    assert shown(room)["turn"]["text"] == "It is nobody's turn yet."
    room.does(PassTurn("a"))
    assert shown(room)["turn"]["text"] == "It is your turn."
    assert "left" not in shown(room)["turn"]


def test_a_name_with_a_slot_in_it_stays_a_name() -> None:
    room = PureRoom(rules=Rules(turns="code"))
    for member, name in (("a", "{time}"), ("b", None)):
        room.joins(member, name)
    room.does(PassTurn("a"))
    turn = shown(room, "b")["turn"]
    assert (turn["text"], turn["name"]) == ("It is {name}'s turn.", "{time}")


def test_before_the_start_it_is_nobodys_turn() -> None:
    room = ruled(turns="round_robin", starts="code")
    assert "turn" not in shown(room) and shown(room)["code"] == "not_yet"
    room.does(Start())
    assert shown(room)["turn"]["is"] == "mine"


def test_who_has_just_written_is_told_for_how_long_they_wait() -> None:
    room = ruled(cooldown=10)
    room.says("a")
    room.now += 3 * SECOND
    hold = shown(room)["hold"]
    assert (hold["code"], hold["left"]) == ("cooldown", 7_001), "rather too late than too early"
    assert shown(room)["write"] and "hold" not in shown(room, "b")
    room.now += 7 * SECOND
    assert "hold" not in shown(room)


def test_who_has_written_all_that_they_may_cannot_write() -> None:
    room = ruled(max_messages=1, max_characters=10)
    assert shown(room)["max"] == 10
    room.says("a", "hello")
    assert (shown(room)["write"], shown(room)["code"]) == (False, "too_many")
    assert shown(room, "b")["write"]


def test_the_longest_message_of_a_member_is_theirs() -> None:
    room = ruled()
    room.does(SetRules("a", Rules(max_length=7)))
    assert shown(room)["max"] == 7 and "max" not in shown(room, "b")


def test_a_viewer_is_told_what_is_left_to_write_and_to_wait() -> None:
    room = ruled(min_messages=1, min_characters=5, min_seconds=60)
    both = shown(room)
    assert both["gate"] == "You can go on when you have written 1 more message."
    text = "You can go on in {time}, when you have written 1 more message."
    assert both["later"] == {"left": 60_001, "runs": True, "text": text}
    room.says("a", "hi")
    assert shown(room)["gate"] == "You can go on when you have written 3 more characters."
    room.says("a", "you")
    assert "gate" not in shown(room)
    assert shown(room)["later"]["text"] == "You can go on in {time}."
    room.now += 60 * SECOND
    assert "later" not in shown(room)


def test_what_has_not_started_does_not_run() -> None:
    room = ruled(min_seconds=60, starts="code")
    assert shown(room)["later"]["runs"] is False


def test_a_viewer_is_told_when_the_room_opens() -> None:
    room = ruled(opens_at=OPENS)
    room.now = moment(OPENS) - 90 * SECOND
    state = shown(room)
    assert (state["is"], state["write"], state["code"]) == ("open", False, "not_yet")
    text = "It begins in {time}."
    assert state["clock"] == {"is": "waiting", "left": 90_000, "text": text}
    room.now = moment(OPENS)
    assert shown(room)["write"]


def test_outside_of_the_hours_a_viewer_is_told_which_they_are() -> None:
    room = ruled(hours=HOURS)
    room.now = moment("2026-11-30T23:00:00+01:00")
    state = shown(room)
    assert state["say"].endswith("You can write from 08:00 to 22:00 (Europe/Berlin).")
    assert state["clock"]["left"] == 9 * 3600 * 1000


def test_what_another_servers_clock_has_announced_is_shown() -> None:
    room = ruled(opens_at=OPENS)
    room.now = moment(OPENS)
    room.does(AdvanceRoom())
    room.now -= 3 * SECOND
    assert shown(room)["write"]


def test_a_room_is_shown_as_closed_from_its_moment_on() -> None:
    room = ruled(closes_at=OPENS)
    room.now = moment(OPENS)
    state = shown(room)
    assert room.state.is_open and state["is"] == "closed"
    assert (state["code"], state["reason"]) == ("closed", "The time is over.")


def test_nobody_is_shown_typing_who_may_not_write_or_where_nobody_is() -> None:
    room = ruled(turns="code")
    room.does(Join("e", "h-e", "experimenter"))
    room.does(PassTurn("a"))
    types = {name: may_type(room.state, each, room.now) for name, each in _members(room)}
    assert types == {"a": True, "b": False, "e": True}
    quiet = ruled(typing=False)
    quiet.does(Join("e", "h-e", "experimenter"))
    types = {name: may_type(quiet.state, each, quiet.now) for name, each in _members(quiet)}
    assert types == {"a": False, "b": False, "e": True}


def _members(room: PureRoom) -> Any:
    return room.state.memberships.items()
