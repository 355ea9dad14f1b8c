"""
When something is due in a room by the time of its people, and for whom that matters. Pure.

Whether it is, the rule for `AdvanceRoom` decides.
"""

from __future__ import annotations

from collections.abc import Mapping

from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.commands import AdvanceRoom
from shiny_labchat.domain.rules import is_timed, is_watched, next_opening, replacing_bot
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.turns import ends_at

__all__ = ["PRESENT", "advance_by", "dissolving", "needs_signs", "next_due", "replacing"]

PRESENT = 15 * SECOND
"""Who was heard within this time is there, in microseconds; pages are asked twice in `ALIVE`."""


def next_due(state: RoomState, at: int | None = None) -> int | None:
    """
    When something is due in a room by its clock, in microseconds; None: nothing is.

    Parameters
    ----------
    state
        The room.
    at
        The time, if what is only announced counts, too: that its hours begin or end, and whose turn
        it is. None: it does not, as nobody looks.
    """
    if not (state.is_open and state.is_shown):
        return None
    due = [_next_of_clock(state)] if is_timed(state.rules) else []
    if at is not None:
        due += [next_opening(state.rules, at), _next_turn(state)]
    return min((each for each in due if each is not None), default=None)


def _next_of_clock(state: RoomState) -> int | None:
    """When the time of a room's people starts, is to be warned of, runs on or is over next."""
    rules, clock = state.rules, state.clock
    due = [clock.closing(rules)]
    if not clock.started:
        due.append(clock.starts_by(rules))
    elif clock.paused:
        due.append(clock.runs_on())
    elif (deadline := state.deadline) is not None:
        warned = float("inf") if clock.warned is None else clock.warned
        due += [deadline - round(time * SECOND) for time in rules.warn if time < warned]
        due.append(deadline)
    return min((each for each in due if each is not None), default=None)


def _next_turn(state: RoomState) -> int | None:
    """When the turn that was announced last is over."""
    is_announced = state.rules.turns is not None and state.clock.started and state.turn.since
    return ends_at(state, state.turn) if is_announced else None


def needs_signs(state: RoomState) -> bool:
    """Whether it matters in a room who is there: for its start, or as somebody may have gone."""
    rules = state.rules
    if not (is_watched(rules) and state.is_open and state.is_shown):
        return False
    if is_timed(rules) and not state.clock.started and rules.starts != "code":
        return True
    return rules.on_gone != "continue" and state.has_begun


def advance_by(
    state: RoomState, silences: Mapping[str, int], at: int, heard_since: int
) -> AdvanceRoom:
    """
    The command that has done what is due, from what is known of people.

    Parameters
    ----------
    state
        The room.
    silences
        By member, for how long nothing has been heard of them, in microseconds; who is not there
        was never heard.
    at
        The time, in microseconds since 1970 (UTC).
    heard_since
        Since when there has been somebody who hears them: nobody is gone because there was no
        server, and nobody of a group before its time starts.
    """
    people = [each.member for each in state.people()]
    grace = round(state.rules.grace * SECOND)
    listened = at - max(heard_since, state.clock.started)
    never = listened if state.lobby is not None else 0  # others may be members before they come
    silent = {each: min(silences.get(each, never), listened) for each in people}
    is_awaited = is_timed(state.rules) and not state.clock.started
    return AdvanceRoom(
        frozenset(each for each in people if silences.get(each, PRESENT) < PRESENT),
        frozenset(each for each in people if silent[each] > grace and not is_awaited),
    )


def dissolving(state: RoomState, gone: frozenset[str]) -> tuple[str, ...]:
    """Those who are gone for whom a group is to be dissolved; empty: it goes on."""
    if state.lobby is None or state.rules.on_gone != "close" or not needs_signs(state):
        return ()
    return tuple(sorted(gone - set(state.done)))


def replacing(state: RoomState, gone: frozenset[str]) -> tuple[str, ...]:
    """Those who are gone whose places a bot may take; empty: nobody's."""
    if state.lobby is None or replacing_bot(state.rules) is None or not needs_signs(state):
        return ()
    return tuple(sorted(gone - set(state.done)))
