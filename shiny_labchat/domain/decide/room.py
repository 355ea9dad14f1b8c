"""The rules for a room as a whole. Pure."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from shiny_labchat.domain.commands import Clear, Close, Configure, Open, PassOver, Record
from shiny_labchat.domain.decide.shared import Rule, check_storable, member_of, new_event
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import RoomState

__all__ = ["RULES"]


def _configure(state: RoomState, command: Configure, at: int) -> list[Event]:
    check_storable(command.title or "")
    news: dict[str, Any] = {}
    if state.seq == 0:
        news["seed"] = command.seed
    if command.title is not None and command.title != state.title:
        news["title"] = command.title
    if command.write is not None and command.write != state.write:
        news["write"] = command.write
    if command.rules is not None and command.rules != state.rules:
        news["rules"] = _rules_to_store(state, command.rules)
    return [new_event(state, at, "configured", None, news)] if news else []


def _rules_to_store(state: RoomState, rules: Rules) -> dict[str, Any]:
    """All rules, those of a newer version included, unless `rules` changes the same rule."""
    before, all = asdict(state.rules), asdict(rules)
    changed = {name: value for name, value in all.items() if value != before[name]}
    return {**all, **state.unknown_rules, **changed}


def _close(state: RoomState, command: Close, at: int) -> list[Event]:
    check_storable(command.reason or "")
    if not state.is_open:
        return []
    return [new_event(state, at, "closed", None, {"reason": command.reason})]


def _open(state: RoomState, command: Open, at: int) -> list[Event]:
    return [] if state.is_open else [new_event(state, at, "opened")]


def _clear(state: RoomState, command: Clear, at: int) -> list[Event]:
    if command.member is not None:
        member_of(state, command.member)
    data: dict[str, Any] = {"scope": "room" if command.member is None else "view"}
    if command.greeting:
        data["greeting"] = True
    return [new_event(state, at, "cleared", command.member, data)]


def _record(state: RoomState, command: Record, at: int) -> list[Event]:
    data = {"kind": command.kind, "value": command.value}
    return [new_event(state, at, "recorded", command.member, data)]


def _pass_over(state: RoomState, command: PassOver, at: int) -> list[Event]:
    check_storable(command.callback, command.error)
    data = {
        "callback": command.callback,
        "of": command.of,
        "tries": command.tries,
        "error": command.error,
    }
    return [new_event(state, at, "passed_over", None, data, command.cid)]


RULES: dict[type, Rule] = {
    Clear: _clear,
    Close: _close,
    Configure: _configure,
    Open: _open,
    PassOver: _pass_over,
    Record: _record,
}
