"""The rules for messages, those that are held included. Pure."""

from __future__ import annotations

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
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.visible import has_visible
from shiny_labchat.errors import Refused

__all__ = ["RULES"]


def _say(state: RoomState, command: Say, at: int) -> list[Event]:
    membership = member_of(state, command.member)
    _check_may_write(state, membership, at)
    text = _with_line_feeds(command.text)
    _check_said(state, membership, text, at)
    if command.waits:
        waiting = {"text": text, "page": command.page}
        return [new_event(state, at, "submitted", command.member, waiting, command.cid)]
    data = {
        "role": "user",
        "h": membership.handle,
        "name": membership.pseudonym,
        "parts": [("text", text)],
        "page": command.page,
    }
    message = new_event(state, at, "message", command.member, data, command.cid)
    return [message] if state.rules.starts is None else started_by(state, message)


def _with_line_feeds(text: str) -> str:
    """A text whose lines end with LF, as in files of tables: other line ends are no other text."""
    return text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text


def _check_may_write(state: RoomState, membership: Membership, at: int) -> None:
    """Refuse what a member says if they may not write, or if the time of the room is over."""
    if (code := state.silence(membership)) is not None:
        raise Refused(code)
    if state.rules.duration is not None and state.is_over(at):
        raise Refused("closed")


def _check_said(state: RoomState, membership: Membership, text: str, at: int) -> None:
    """Refuse a person's text that is empty, too long, unstorable or sent too fast."""
    check_text(text)
    if not has_visible(text):
        raise Refused("empty")
    if len(text) > state.rules.max_length:
        most = {"max": state.rules.max_length}
        raise Refused("too_long", detail="too_long.detail", values=most)
    if membership.allowance(state.rules, at) < 1:
        raise Refused("too_fast")


def _publish(state: RoomState, command: Publish, at: int) -> list[Event]:
    membership = member_of(state, command.member)
    _check_may_write(state, membership, at)
    check_storable(command.transformed or "")
    data: dict[str, Any] = {
        "role": "user",
        "h": membership.handle,
        "name": membership.pseudonym,
        "parts": [("text", command.text)],
        "page": command.page,
        "submitted": command.of,
        "sent": command.sent,
    }
    if command.transformed != command.text:
        data["transformed"] = command.transformed
    message = new_event(state, at, "message", command.member, data, command.cid)
    return [message] if state.rules.starts is None else started_by(state, message)


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
    data = {"text": command.text, "page": command.page, "again": command.of, "sent": command.sent}
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
    if not command.hides_composing:
        return [message]
    return [new_event(state, at, "composed", command.member), message._replace(seq=message.seq + 1)]


def _shown_author(state: RoomState, command: Post, at: int) -> tuple[str, str | None, str | None]:
    """The role, name and handle of a post's author; refused if that member may not write."""
    if command.member is None:
        return command.role, command.name, None
    membership = member_of(state, command.member)
    is_over = state.rules.duration is not None and state.is_over(at)
    code = "closed" if is_over else state.silence(membership)
    if code is not None and (code != "read_only" or membership.is_bot):
        raise Refused(code)  # an app may post for a person who may only read
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
            data |= {"by": by.member, "by_h": by.handle}
    return data


_KEPT = STREAM, SUBMITTED, PASSED_OVER, TRIGGER, WITHHELD

RULES: dict[type, Rule] = {
    Post: _post,
    Publish: _publish,
    Resubmit: _resubmit,
    Say: _say,
    Withhold: _withhold,
}
