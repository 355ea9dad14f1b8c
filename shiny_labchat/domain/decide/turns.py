"""The rules for whose turn it is to write. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shiny_labchat.domain.commands.clock import PassTurn
from shiny_labchat.domain.decide.shared import Rule, member_of, new_event
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState, fold_all
from shiny_labchat.domain.turns import next_after, takers, turn_at
from shiny_labchat.errors import Refused

__all__ = ["RULES", "followed_by_turn", "turn_due"]


def _pass(state: RoomState, command: PassTurn, at: int) -> list[Event]:
    if state.rules.turns is None:
        raise Refused("no_turns")
    if not state.is_open or state.is_over(at):
        raise Refused("closed")
    if command.member is not None:
        membership = member_of(state, command.member)
        if not membership.takes_turns:
            raise Refused("read_only", member=command.member)
    if turn_at(state, at).member == command.member:
        return []
    return [new_event(state, at, "turn", command.member, {"by": "code"})]


def followed_by_turn(state: RoomState, events: list[Event]) -> list[Event]:
    """The events with which somebody writes, and the turn of the next, if one follows."""
    message = events[-1]
    membership = state.membership(message.member)
    if state.rules.turns != "round_robin" or membership is None:
        return events
    is_own = membership.is_bot or "page" in message.data  # the app may write for a person
    after = fold_all(state, events)
    follows = next_after(after, message.member) if is_own else None
    if follows is None:
        return events
    return [*events, new_event(after, message.at, "turn", follows, {"by": "message"})]


def turn_due(state: RoomState, at: int) -> tuple[str, Mapping[str, Any], str] | None:
    """
    The event that announces whose turn it is by the time, or as somebody has left; None: none.

    Returns
    -------
    tuple
        Its kind, its data, and whose turn it is.
    """
    if state.rules.turns != "round_robin" or not state.clock.started:
        return None
    now, was = turn_at(state, at), state.turn
    if now.member is None or now == was:
        return None
    if not was.since:
        return "turn", {"by": "start", "since": now.since}, now.member
    if was.member in takers(state):
        return "turn", {"by": "time", "since": now.since}, now.member
    return "turn", {"by": "left"}, now.member


RULES: dict[type, Rule] = {PassTurn: _pass}
