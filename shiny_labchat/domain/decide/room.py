"""The rules for a room as a whole. Pure."""

from __future__ import annotations

from dataclasses import asdict, fields
from typing import Any

from shiny_labchat.domain.commands import (
    Clear,
    Close,
    Configure,
    Connect,
    Open,
    PassOver,
    Record,
)
from shiny_labchat.domain.decide.shared import Rule, check_storable, member_of, new_event
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import Configuration, RoomState
from shiny_labchat.errors import Refused

__all__ = ["RULES"]


def _configure(state: RoomState, command: Configure, at: int) -> list[Event]:
    check_storable(command.title or "")
    now = state.configuration
    wanted = _filled(command, state.code if command.is_default else now)
    becomes = _merged(now, state.code, wanted) if command.is_default else wanted
    news = _differences(now, becomes)
    if "rules" in news:
        news["rules"] = {**asdict(becomes.rules), **state.unknown_rules, **news["rules"]}
    code = _differences(state.code, wanted) if command.is_default else {}
    if state.seq == 0:
        news["seed"] = command.seed
    if not news and not code:
        return []
    return [new_event(state, at, "configured", None, {**news, "code": code})]


def _filled(command: Configure, otherwise: Configuration) -> Configuration:
    """The settings that a command gives; `otherwise` has those that it does not give."""
    return Configuration(
        otherwise.title if command.title is None else command.title,
        otherwise.write if command.write is None else command.write,
        otherwise.rules if command.rules is None else command.rules,
        otherwise.network if command.network is None else command.network,
    )


def _merged(now: Configuration, before: Configuration, code: Configuration) -> Configuration:
    """
    What a room becomes when its code says something else than before.

    Each setting, and each rule, that is not what code said before was configured since, and stays.
    """
    rules = {
        each.name: _unless_changed(*(getattr(of.rules, each.name) for of in (now, before, code)))
        for each in fields(Rules)
    }
    return Configuration(
        _unless_changed(now.title, before.title, code.title),
        _unless_changed(now.write, before.write, code.write),
        Rules(**rules),
        _unless_changed(now.network, before.network, code.network),
    )


def _unless_changed(now: Any, before: Any, code: Any) -> Any:
    return code if now == before else now


def _differences(before: Configuration, after: Configuration) -> dict[str, Any]:
    """The settings that differ, as an event has them; of the rules those that differ."""
    found: dict[str, Any] = {}
    if after.title != before.title:
        found["title"] = after.title
    if after.write != before.write:
        found["write"] = after.write
    old, new = asdict(before.rules), asdict(after.rules)
    if rules := {name: value for name, value in new.items() if value != old[name]}:
        found["rules"] = rules
    if after.network != before.network:
        found["network"] = after.network.form
    return found


def _connect(state: RoomState, command: Connect, at: int) -> list[Event]:
    for member in dict.fromkeys(id for edge in command.edges for id in edge):
        if member not in state.memberships:
            raise Refused("not_member", member=member)
    news = [
        [speaker, hearer]
        for speaker, hearer in dict.fromkeys(command.edges)
        if speaker != hearer and not state.memberships[hearer].hears_all
        if state.hears(hearer, speaker) != command.on
    ]
    if not news:
        return []
    if command.on:
        return [new_event(state, at, "connected", None, {"edges": news})]
    return [new_event(state, at, "disconnected", None, {"edges": news})]


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
    Connect: _connect,
    Open: _open,
    PassOver: _pass_over,
    Record: _record,
}
