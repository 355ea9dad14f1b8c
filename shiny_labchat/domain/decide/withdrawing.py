"""The rule for withdrawing somebody's data. Pure."""

from __future__ import annotations

from typing import Any

from shiny_labchat.domain.commands.messages import Withhold
from shiny_labchat.domain.commands.streams import EndStream
from shiny_labchat.domain.commands.study import Withdraw, study_log
from shiny_labchat.domain.decide.study import dissolve_if_alone, end_person
from shiny_labchat.domain.decide.together import Decided, RuleTogether
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.logs import State, States
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import Refused

__all__ = ["RULES"]


def _withdraw(states: States, command: Withdraw, at: int) -> Decided:
    """
    End their part if they still take part, and say in each log that they have withdrawn.

    The rows of earlier events are rewritten in the same transaction; the events "withdrawn" tell
    whoever has read them.
    """
    decided = Decided(states, at)
    _check_is_nobodys_bot(states, command)
    log = study_log(command.study)
    study = states[log]
    assert isinstance(study, StudyState)
    known = study.people.get(command.person)
    is_later = known is not None and known.ended is not None
    if known is not None and known.ended is None:
        end_person(decided, command.study, command.person, "withdrew", delete=True)
    for key in dict.fromkeys(command.logs):
        if key.kind == "room" and states[key].seq:
            _leave(decided, key, command)
    for key in dict.fromkeys(command.logs):
        if states[key].seq:
            decided.add(key, "withdrawn", command.new, _about(states, key, command, is_later))
    return decided


def _check_is_nobodys_bot(states: States, command: Withdraw) -> None:
    rooms = (state for state in states.values() if isinstance(state, RoomState))
    found = (room.memberships.get(command.person) for room in rooms)
    if any(membership is not None and membership.is_bot for membership in found):
        raise Refused("not_in_study", member=command.person)


def _leave(decided: Decided, room: LogKey, command: Withdraw) -> None:
    """Have them leave a room that is open, and end what grows or waits there in their name."""
    state = decided.now(room)
    assert isinstance(state, RoomState)
    for seq in command.held.get(room, ()):
        decided.run(room, Withhold("", command.person, "removed", seq))
    bots = [each for each in state.bots() if each.replaces == command.person]
    for each in (command.person, *(bot.member for bot in bots)):
        if state.is_open and state.membership(each) is not None:
            decided.add(room, "removed", each, {"reason": "withdrew"})
    if bots and state.is_open:
        dissolve_if_alone(decided, room)
    for seq in command.streaming.get(room, ()):
        end: dict[str, Any] = {"of": seq, "is": "withheld", "parts": []}
        decided.add(room, "streamed", None, end, EndStream(seq, ()).cid)


def _about(states: States, key: LogKey, command: Withdraw, is_later: bool) -> dict[str, Any]:
    match key.kind:
        case "study":
            exports = list(command.exports)
            return {"by": command.by, "later": is_later, "exports": exports}
        case "room":
            said = list(command.said.get(key, ()))
            return {"messages": said, **_for_pages(states[key], key, command)}
        case "lobby":
            return {}


def _for_pages(room: State, key: LogKey, command: Withdraw) -> dict[str, Any]:
    """By what pages know which messages are blank, and whether others are changed, too."""
    assert isinstance(room, RoomState)
    membership, heard = room.memberships.get(command.person), command.heard.get(key)
    told: dict[str, Any] = {} if membership is None else {"h": membership.handle}
    if heard or (heard is not None and not room.network.is_full):
        renamed = (command.new if each == command.person else each for each in heard)
        told |= {"audience": list(renamed), "by_network": True}
    return {**told, "quotes": True} if command.quotes else told


RULES: dict[type, RuleTogether] = {Withdraw: _withdraw}
