"""The rules for messages, those that are held included. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from shiny_labchat.domain.commands import (
    PASSED_OVER,
    STREAM,
    SUBMITTED,
    TRIGGER,
    WITHHELD,
    Post,
    Publish,
    Resubmit,
    Say,
    Withhold,
)
from shiny_labchat.domain.decide.clock import started_by
from shiny_labchat.domain.decide.shared import (
    Rule,
    check_storable,
    check_text,
    member_of,
    new_event,
    strings_of,
)
from shiny_labchat.domain.decide.turns import followed_by_turn
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.limits import check_amount, explained, silence_at
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.telemetry import wanted
from shiny_labchat.domain.visible import has_visible
from shiny_labchat.errors import Refused

__all__ = ["RULES"]


def _say(state: RoomState, command: Say, at: int) -> list[Event]:
    membership = member_of(state, command.member)
    _check_may_write(state, membership, at)
    text = _with_line_feeds(command.text)
    _check_said(state, membership, text, at)
    typed = {} if command.typed is None else _typed(state, membership, command.typed)
    if command.waits:
        waiting = {"text": text, "page": command.page, **typed}
        return [new_event(state, at, "submitted", command.member, waiting, command.cid)]
    data = {
        "role": "user",
        "h": membership.handle,
        "name": membership.pseudonym,
        "parts": [("text", text)],
        "page": command.page,
        **typed,
        **_heard(state, command.member),
    }
    message = new_event(state, at, "message", command.member, data, command.cid)
    return _with_what_follows(state, message)


def _with_what_follows(state: RoomState, message: Event) -> list[Event]:
    """A person's message, with the start of the time and the turn of the next, if these follow."""
    events = [message] if state.rules.starts is None else started_by(state, message)
    return events if state.rules.turns is None else followed_by_turn(state, events)


def _typed(state: RoomState, membership: Membership, sent: Mapping[str, Any]) -> dict[str, Any]:
    """What is kept of what a page has counted; refused if it has pasted where that is not to be."""
    rules = state.rules_of(membership)
    if rules.paste == "refuse" and sent.get("pasted_chars"):
        raise Refused("pasted")
    kept = wanted(rules, sent)
    return {"typed": kept} if kept else {}


def _heard(state: RoomState, speaker: str, at_most: Sequence[str] | None = None) -> dict[str, Any]:
    """Who hears what somebody says now, as the message has it; it is never changed afterwards."""
    if at_most is None and state.network.is_full:
        return {}
    hearing = state.hearing
    hearers = hearing.hearers(speaker)
    if at_most is not None:
        among = hearing.taking_part() if hearers is None else hearers
        some = [each for each in among if each in at_most]
        hearers = some if hearers is not None or len(some) < len(among) else None
    return {} if hearers is None else {"audience": hearers, "by_network": True}


def _with_line_feeds(text: str) -> str:
    """A text whose lines end with LF, as in files of tables: other line ends are no other text."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _check_may_write(state: RoomState, membership: Membership, at: int) -> None:
    """Refuse what a member says if they may not write now."""
    if (code := silence_at(state, membership, at)) is not None:
        raise explained(state.rules, code)


def _check_said(state: RoomState, membership: Membership, text: str, at: int) -> None:
    """Refuse a person's text that is empty, too long, unstorable or sent too fast."""
    check_text(text)
    if not has_visible(text):
        raise Refused("empty")
    rules = state.rules_of(membership)
    if len(text) > rules.max_length:
        raise Refused("too_long", detail="too_long.detail", values={"max": rules.max_length})
    check_amount(state, membership, text)
    if membership.allowance(rules, at) < 1:
        raise Refused("too_fast")


def _publish(state: RoomState, command: Publish, at: int) -> list[Event]:
    membership = member_of(state, command.member)
    _check_may_write(state, membership, at)
    check_amount(state, membership, command.text)
    check_storable(command.transformed or "")
    data: dict[str, Any] = {
        "role": "user",
        "h": membership.handle,
        "name": membership.pseudonym,
        "parts": [("text", command.text)],
        "page": command.page,
        "submitted": command.of,
        "sent": command.sent,
        **_heard(state, command.member),
    }
    if command.typed is not None:
        data["typed"] = command.typed
    if command.transformed != command.text:
        data["transformed"] = command.transformed
    message = new_event(state, at, "message", command.member, data, command.cid)
    return _with_what_follows(state, message)


def _withhold(state: RoomState, command: Withhold, at: int) -> list[Event]:
    check_storable(command.text, command.error or "")
    data: dict[str, Any] = {"original": command.text, "code": command.code}
    if command.of is not None:
        data |= {"submitted": command.of, "page": command.page}
    if command.error is not None:
        data["error"] = command.error
    return [new_event(state, at, "withheld", command.member, data, command.cid)]


def _resubmit(state: RoomState, command: Resubmit, at: int) -> list[Event]:
    member_of(state, command.member)
    data: dict[str, Any] = {"text": command.text, "page": command.page}
    data |= {"again": command.of, "sent": command.sent}
    if command.typed is not None:
        data["typed"] = command.typed
    return [new_event(state, at, "submitted", command.member, data, command.cid)]


def _post(state: RoomState, command: Post, at: int) -> list[Event]:
    role, name, handle = _shown_author(state, command, at)
    if command.cid is not None and command.cid.startswith(_KEPT):
        raise ValueError(
            f"id: {command.cid!r} has a prefix that is kept for the log; choose another id"
        )
    check_storable(
        *(name or "", command.cid or "", command.original or "", command.transformed or ""),
        *strings_of(command.parts),
    )
    data = {"role": role, "h": handle, "name": name, "parts": list(command.parts)}
    data |= _optional_data(state, command)
    message = new_event(state, at, "message", command.member, data, command.cid)
    events = [message]
    if command.hides_composing:
        composed = new_event(state, at, "composed", command.member)
        events = [composed, message._replace(seq=message.seq + 1)]
    is_bots_turn = state.rules.turns is not None and command.member is not None and role == "user"
    return followed_by_turn(state, events) if is_bots_turn else events


def _shown_author(state: RoomState, command: Post, at: int) -> tuple[str, str | None, str | None]:
    """The role, name and handle of a post's author; refused if that member may not write."""
    if command.member is None:
        return command.role, command.name, None
    membership = member_of(state, command.member)
    code = silence_at(state, membership, at)
    if code is not None and (membership.is_bot or code not in _OF_PERSONS):
        raise explained(state.rules, code)
    role: str = command.role
    if membership.is_bot:
        role = "assistant" if membership.role_for(None) == "assistant" else "user"
        if role == "user" and not command.is_live:  # shown as a person: limits as for people
            _check_said(state, membership, "".join(strings_of(command.parts)), at)
    return role, command.name or membership.pseudonym, membership.handle


def _optional_data(state: RoomState, command: Post) -> dict[str, Any]:
    """The data that only some messages have."""
    data: dict[str, Any] = {}
    if command.icon is not None:
        data["icon"] = command.icon
    if command.deps:
        data["deps"] = list(command.deps)
    if command.audience is not None:
        data["audience"] = list(command.audience)
        if command.by_network:
            data["by_network"] = True
    elif command.member is not None:
        data |= _heard(state, command.member, command.at_most)
    if command.cid is not None and not command.hides_cid:
        data["id"] = command.cid
    if command.cause is not None:
        data["cause"] = command.cause
    if command.original is not None:
        data["original"] = command.original
    if command.transformed is not None:
        data["transformed"] = command.transformed
    if command.is_live:
        data["live"] = True
        by = state.membership(command.by)
        if by is not None:
            data["by"] = by.member
            if _is_known(state, by.member, data.get("audience")):
                data["by_h"] = by.handle
    return data


_OF_PERSONS = ("cooldown", "not_your_turn", "read_only", "too_many")
"""The codes of why a person may not write, but the app may for them."""


def _is_known(state: RoomState, member: str, audience: Sequence[str] | None) -> bool:
    """Whether all who are shown a message are shown a member, too."""
    if state.network.is_full:
        return True
    if audience is None:
        audience = [each.member for each in state.members()]
    return all(state.hears(each, member) for each in audience)


_KEPT = STREAM, SUBMITTED, PASSED_OVER, TRIGGER, WITHHELD

RULES: dict[type, Rule] = {
    Post: _post,
    Publish: _publish,
    Resubmit: _resubmit,
    Say: _say,
    Withhold: _withhold,
}
