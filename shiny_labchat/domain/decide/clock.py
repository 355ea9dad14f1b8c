"""
The rules for the time of a room's people: its start, its end, and who is done. Pure.

A timer only has asked what is due. Until its answer is stored, the other rules go by the time that
it is: nobody writes after the end, however late the room is closed.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shiny_labchat.domain.clock import LONGEST_PAUSE
from shiny_labchat.domain.commands.clock import AdvanceRoom, Extend, PressDone, Start
from shiny_labchat.domain.decide.shared import Rule, member_of, new_event
from shiny_labchat.domain.decide.turns import turn_due
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.limits import gate_of
from shiny_labchat.domain.rules import is_timed, shut
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.errors import Refused

__all__ = ["RULES", "started_by"]


class _Steps:
    """The events so far of a command that makes several, and the state of the room after them."""

    def __init__(self, state: RoomState, at: int) -> None:
        self.state = state
        self.at = at
        self.events: list[Event] = []

    def add(self, kind: str, data: Mapping[str, Any], member: str | None = None) -> None:
        event = new_event(self.state, self.at, kind, member, data)
        self.events.append(event)
        self.state = fold(self.state, event)

    def close(self, reason: str) -> None:
        self.add("closed", {"reason": reason})


def _start(state: RoomState, command: Start, at: int) -> list[Event]:
    _check_timed(state)
    return [] if state.clock.started else [_started(state, at, "code")]


def _extend(state: RoomState, command: Extend, at: int) -> list[Event]:
    _check_timed(state)
    if state.rules.duration is None:
        raise Refused("no_clock")
    if state.is_over(at):
        raise Refused("closed")
    return [new_event(state, at, "extended", None, {"by": command.by})]


def _check_timed(state: RoomState) -> None:
    if not is_timed(state.rules):
        raise Refused("no_clock")
    if not state.is_open:
        raise Refused("closed")


def _press_done(state: RoomState, command: PressDone, at: int) -> list[Event]:
    membership = member_of(state, command.member)
    if command.member in state.done or not state.is_open or state.is_over(at):
        return []
    if not (state.has_begun and _has_opened(state, at)):
        raise Refused("not_yet")
    if membership.role == "observer":
        raise Refused("read_only")
    if not (gate := gate_of(state, membership, at)).is_met:
        raise Refused("gate" if gate.messages or gate.characters else "too_early")
    steps = _Steps(state, at)
    steps.add("done", {}, command.member)
    _close_if_done(steps)
    return steps.events


# ── what is due ──────────────────────────────────────────────────────────────────────────────


def _advance(state: RoomState, command: AdvanceRoom, at: int) -> list[Event]:
    steps = _Steps(state, at)
    if not (state.is_open and state.is_shown):
        return []
    if state.is_over(at):
        steps.close("time")
        return steps.events
    if is_timed(state.rules) and not state.clock.started:
        _begin(steps, command)
    if steps.state.has_begun:
        _note_gone(steps, command)
        _end(steps)
    if steps.state.is_open:
        _announce(steps)
    return steps.events


def _announce(steps: _Steps) -> None:
    """Announce what has changed by the time alone: whether people can write, whose turn it is."""
    state, code = steps.state, shut(steps.state.rules, steps.at)
    if code != state.shut.code:
        steps.add("hours", {"code": code})
    if state.rules.turns is not None and (turn := turn_due(steps.state, steps.at)) is not None:
        steps.add(*turn)


def _begin(steps: _Steps, command: AdvanceRoom) -> None:
    """Start the time, or have those who are there wait for the others."""
    state, starts, present = steps.state, steps.state.rules.starts or "open", command.present
    if starts == "code" or present is None:
        return
    people = [each.member for each in state.people()]
    there = [each for each in people if each in present]
    starts_by, may_start = state.clock.starts_by(state.rules), _has_opened(state, steps.at)
    is_enough = starts == "open" or (starts == "all_present" and there == people)
    if starts_by is not None and steps.at >= starts_by:
        steps.add("started", {"by": "start_within", "present": there})
    elif there and is_enough and may_start:
        steps.add("started", {"by": starts, "present": there})
    elif there and starts_by is None:
        steps.add("waiting", {})


def _has_opened(state: RoomState, at: int) -> bool:
    """Whether the moment has come from which on people can write."""
    return shut(state.rules, at) != "not_yet"


def _note_gone(steps: _Steps, command: AdvanceRoom) -> None:
    """Let the time stand still for those who are gone, or run on; or close the room."""
    state, rules = steps.state, steps.state.rules
    people = {each.member for each in state.people()} - set(state.done)
    gone, present, clock = command.gone & people, command.present or frozenset(), state.clock
    if rules.on_gone == "close" and gone and state.lobby is None:  # a group is dissolved instead
        steps.close("gone")
    if rules.on_gone != "wait" or rules.duration is None or not clock.started:
        return
    missing = gone.union(each for each in clock.missing if each in people - present)
    if clock.paused and (not missing or steps.at >= clock.runs_on()):
        steps.add("resumed", {})
    elif missing and not clock.paused and clock.held < LONGEST_PAUSE:
        steps.add("paused", {"missing": sorted(missing)})


def _end(steps: _Steps) -> None:
    """Close the room if its time is over, or all that must be are done; warn of its end."""
    if not steps.state.is_open:
        return
    if steps.state.is_over(steps.at):
        steps.close("time")
        return
    _close_if_done(steps)
    state = steps.state
    warning = state.clock.warning(state.rules, steps.at) if state.is_open else None
    if warning is not None:
        steps.add("warned", {"left": warning})


def _close_if_done(steps: _Steps) -> None:
    state, ends = steps.state, steps.state.rules.ends
    if ends == "time":
        return
    are_done = [each.member in state.done for each in state.people()]
    if are_done and (all(are_done) if ends == "all_done" else any(are_done)):
        steps.close(ends)


# ── a message that starts the time ───────────────────────────────────────────────────────────


def started_by(state: RoomState, message: Event) -> list[Event]:
    """A person's message, after the event that the time has started if it starts with it."""
    rules = state.rules
    if rules.starts != "first_message" or not is_timed(rules) or state.clock.started:
        return [message]
    started = _started(state, message.at, "first_message")
    return [started, message._replace(seq=started.seq + 1)]


def _started(state: RoomState, at: int, by: str) -> Event:
    return new_event(state, at, "started", None, {"by": by})


RULES: dict[type, Rule] = {
    AdvanceRoom: _advance,
    Extend: _extend,
    PressDone: _press_done,
    Start: _start,
}
