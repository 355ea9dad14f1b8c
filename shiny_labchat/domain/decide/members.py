"""The rules for the members of a room. Pure."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from shiny_labchat.domain import pseudonyms
from shiny_labchat.domain.commands import (
    Change,
    Disclose,
    Join,
    Mute,
    Remove,
    SendAway,
    SetRules,
)
from shiny_labchat.domain.decide.shared import Rule, member_of, new_event
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import OF_MEMBER, Rules, is_timed
from shiny_labchat.domain.state import RoomState
from shiny_labchat.errors import Refused

__all__ = ["RULES"]


def _join(state: RoomState, command: Join, at: int) -> list[Event]:
    membership = state.memberships.get(command.member)
    if membership is not None and command.by_page and membership.is_bot != command.is_bot:
        raise Refused("taken")
    if membership is not None and membership.is_withdrawn:
        raise Refused("removed", member=command.member)
    if membership is not None and not membership.is_removed:
        return []
    if membership is not None and command.by_page:
        raise Refused("removed")
    data: dict[str, Any] = {
        "handle": membership.handle if membership else command.handle,
        "pseudonym": _name(state, command.member, command.pseudonym),
        "role": command.role,
        "asked": command.pseudonym,
    }
    if command.is_bot:
        data["is_bot"] = True
    if command.shown is not None:
        data["shown"] = command.shown
    return [new_event(state, at, "joined", command.member, data)]


def _change(state: RoomState, command: Change, at: int) -> list[Event]:
    membership = member_of(state, command.member)
    news: dict[str, Any] = {}
    if command.role is not None and command.role != membership.role:
        news["role"] = command.role
    if command.pseudonym is not None and command.pseudonym != membership.asked:
        news["pseudonym"] = _name(state, command.member, command.pseudonym)
        news["asked"] = command.pseudonym
    return [new_event(state, at, "changed", command.member, news)] if news else []


def _set_rules(state: RoomState, command: SetRules, at: int) -> list[Event]:
    membership, wanted = member_of(state, command.member), command.rules
    _check_of_member(state, wanted)
    rules = {name: getattr(wanted, name) for name in OF_MEMBER}
    known = state.rules_of(membership)
    if all(getattr(known, name) == value for name, value in rules.items()):
        return []
    return [new_event(state, at, "changed", command.member, {"rules": rules})]


def _check_of_member(state: RoomState, rules: Rules) -> None:
    """
    Check that rules for one member say nothing of the whole room but what holds there.

    Raises
    ------
    ValueError
        They do; it is named.
    """
    whole, default = state.rules, Rules()
    for name in (each.name for each in fields(Rules) if each.name not in OF_MEMBER):
        given = getattr(rules, name)
        if given not in (getattr(default, name), getattr(whole, name)):
            raise ValueError(
                f"{name}={given!r} is a rule of the whole room; configure it without member="
            )
    if rules.min_seconds and not is_timed(whole):
        raise ValueError(
            "min_seconds counts from the start, and nothing starts in this room; give its own "
            "rules a duration or min_seconds"
        )


def _name(state: RoomState, member: str, asked: str | None) -> str:
    others = [
        membership for membership in state.memberships.values() if membership.member != member
    ]
    taken = [membership.pseudonym for membership in others]
    if asked is None or not pseudonyms.plain(asked):
        return pseudonyms.generate(state.seed, member, taken)
    if "{n}" in asked:
        used = sum(membership.asked == asked for membership in others)
        return pseudonyms.number(asked, used, taken)
    return pseudonyms.unique(asked, taken)


def _remove(state: RoomState, command: Remove, at: int) -> list[Event]:
    membership = state.memberships.get(command.member)
    if membership is not None and membership.is_removed:
        return []
    member_of(state, command.member)
    return [new_event(state, at, "removed", command.member)]


def _send_away(state: RoomState, command: SendAway, at: int) -> list[Event]:
    if state.membership(command.member) is None:
        return []
    return [new_event(state, at, "revoked", command.member, {"kinds": command.kinds})]


def _mute(state: RoomState, command: Mute, at: int) -> list[Event]:
    if member_of(state, command.member).is_muted == command.on:
        return []
    return [new_event(state, at, "changed", command.member, {"is_muted": command.on})]


def _disclose(state: RoomState, command: Disclose, at: int) -> list[Event]:
    memberships = (
        [member_of(state, command.member)]
        if command.member is not None
        else list(state.memberships.values())
    )
    for member in command.to or ():
        member_of(state, member)
    told: list[Event] = []
    for membership in memberships:
        to = None if command.to is None else [m for m in command.to if m not in membership.known_to]
        if membership.shown is not None and to != []:
            event = new_event(state, at, "disclosed", membership.member, {"to": to})
            told.append(event._replace(seq=state.seq + 1 + len(told)))
    return told


RULES: dict[type, Rule] = {
    Change: _change,
    Disclose: _disclose,
    Join: _join,
    Mute: _mute,
    Remove: _remove,
    SendAway: _send_away,
    SetRules: _set_rules,
}
