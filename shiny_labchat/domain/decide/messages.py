"""
The rules: ``decide(state, command, at) → events``, or a `Refused` raised.

The one writer runs this inside its transaction, in queue order, on the state *including what was
decided just before*, so that no check is ever stale. No rule is checked anywhere else. Pure: the
random parts of a command (a handle, a room's seed) come in with it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from typing import Any, cast

from shiny_labchat.domain import pseudonyms
from shiny_labchat.domain.commands import (
    PASSED_OVER,
    STREAM,
    SUBMITTED,
    WITHHELD,
    Change,
    Clear,
    Close,
    Command,
    Configure,
    Disclose,
    EndStream,
    Join,
    Mute,
    Open,
    PassOver,
    Post,
    Publish,
    Record,
    Remove,
    Resubmit,
    Say,
    Withhold,
)
from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import Membership, RoomState
from shiny_labchat.errors import Refused

__all__ = ["check_text", "decide"]


def decide(state: RoomState, command: Command, at: int) -> list[Event]:
    """
    What `command` makes happen in a room.

    Parameters
    ----------
    state
        The room, all that was decided before included.
    command
        What is wanted.
    at
        The time, in microseconds since 1970 (UTC).

    Returns
    -------
    list of Event
        To be appended, numbered from ``state.seq + 1``. Empty: there is nothing to change.

    Raises
    ------
    Refused
        A rule says no.
    """
    rule = cast("Callable[[RoomState, Command, int], list[Event]]", _RULES[type(command)])
    return rule(state, command, at)


def _configure(state: RoomState, command: Configure, at: int) -> list[Event]:
    _check_storable(command.title or "")
    news: dict[str, Any] = {}
    if state.seq == 0:
        news["seed"] = command.seed
    if command.title is not None and command.title != state.title:
        news["title"] = command.title
    if command.write is not None and command.write != state.write:
        news["write"] = command.write
    if command.rules is not None and command.rules != state.rules:
        news["rules"] = _rules_to_store(state, command.rules)
    return [_event(state, at, "configured", None, news)] if news else []


def _rules_to_store(state: RoomState, rules: Rules) -> dict[str, Any]:
    """All rules, with those of a newer version; its value of a known rule yields to a new one."""
    before, all = asdict(state.rules), asdict(rules)
    changed = {name: value for name, value in all.items() if value != before[name]}
    return {**all, **state.unknown_rules, **changed}


def _join(state: RoomState, command: Join, at: int) -> list[Event]:
    membership = state.memberships.get(command.member)
    if membership is not None and command.by_page and membership.is_bot != command.is_bot:
        raise Refused("taken")
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
    return [_event(state, at, "joined", command.member, data)]


def _change(state: RoomState, command: Change, at: int) -> list[Event]:
    membership = _member(state, command.member)
    news: dict[str, Any] = {}
    if command.role is not None and command.role != membership.role:
        news["role"] = command.role
    if command.pseudonym is not None and command.pseudonym != membership.asked:
        news["pseudonym"] = _name(state, command.member, command.pseudonym)
        news["asked"] = command.pseudonym
    return [_event(state, at, "changed", command.member, news)] if news else []


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


def _say(state: RoomState, command: Say, at: int) -> list[Event]:
    membership = _member(state, command.member)
    if (code := state.silence(membership)) is not None:
        raise Refused(code)
    _check_said(state, membership, command.text, at)
    if command.waits:
        waiting = {"text": command.text, "page": command.page}
        return [_event(state, at, "submitted", command.member, waiting, command.cid)]
    data = {
        "role": "user",
        "h": membership.handle,
        "name": membership.pseudonym,
        "parts": [("text", command.text)],
        "page": command.page,
    }
    return [_event(state, at, "message", command.member, data, command.cid)]


def _check_said(state: RoomState, membership: Membership, text: str, at: int) -> None:
    """What people may say, and how often."""
    check_text(text)
    if not text.strip():
        raise Refused("empty")
    if len(text) > state.rules.max_length:
        raise Refused("too_long", detail=f"At most {state.rules.max_length} characters, please.")
    if membership.allowance(state.rules, at) < 1:
        raise Refused("too_fast")


def _publish(state: RoomState, command: Publish, at: int) -> list[Event]:
    membership = _member(state, command.member)
    if (code := state.silence(membership)) is not None:
        raise Refused(code)
    _check_storable(*_strings(command.parts))
    data: dict[str, Any] = {
        "role": "user",
        "h": membership.handle,
        "name": membership.pseudonym,
        "parts": list(command.parts),
        "page": command.page,
        "submitted": command.of,
        "sent": command.sent,
    }
    if command.parts != [("text", command.text)]:
        data["original"] = command.text
    return [_event(state, at, "message", command.member, data, command.cid)]


def _withhold(state: RoomState, command: Withhold, at: int) -> list[Event]:
    _check_storable(command.text, command.error or "")
    data: dict[str, Any] = {"original": command.text, "code": command.code}
    if command.of is not None:
        data |= {"submitted": command.of, "page": command.page}
    if command.error is not None:
        data["error"] = command.error
    return [_event(state, at, "withheld", command.member, data, command.cid)]


def _resubmit(state: RoomState, command: Resubmit, at: int) -> list[Event]:
    _member(state, command.member)
    data = {"text": command.text, "page": command.page, "again": command.of, "sent": command.sent}
    return [_event(state, at, "submitted", command.member, data, command.cid)]


def _post(state: RoomState, command: Post, at: int) -> list[Event]:
    role, name, handle = command.role, command.name, None
    if command.member is not None:
        membership = _member(state, command.member)
        code = state.silence(membership)
        if code is not None and (code != "read_only" or membership.is_bot):
            raise Refused(code)  # for people, the app knows who writes here
        name, handle = name or membership.pseudonym, membership.handle
        if membership.is_bot:
            role = "assistant" if membership.role_for(None) == "assistant" else "user"
            if role == "user" and not command.is_live:  # it passes for a person, whom these bind
                _check_said(state, membership, "".join(_strings(command.parts)), at)
    if command.cid is not None and command.cid.startswith(_KEPT):
        raise ValueError(f"id: {command.cid!r} is kept for the log; begin it otherwise")
    _check_storable(name or "", command.cid or "", command.original or "", *_strings(command.parts))
    data: dict[str, Any] = {
        "role": role,
        "h": handle,
        "name": name,
        "parts": list(command.parts),
    }
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
    if command.is_live:
        data["live"] = True
        by = state.membership(command.by)
        if by is not None:
            data |= {"by": by.member, "by_h": by.handle}
    message = _event(state, at, "message", command.member, data, command.cid)
    if not command.hides_composing:
        return [message]
    return [_event(state, at, "composed", command.member), message._replace(seq=message.seq + 1)]


_KEPT = STREAM, SUBMITTED, PASSED_OVER, WITHHELD


def _end_stream(state: RoomState, command: EndStream, at: int) -> list[Event]:
    _check_storable(command.original or "", command.error or "", *_strings(command.parts))
    data: dict[str, Any] = {"of": command.of, "is": command.how, "parts": list(command.parts)}
    if command.deps:
        data["deps"] = list(command.deps)
    if command.audience is not None:
        data["audience"] = list(command.audience)
    if command.error is not None:
        data["error"] = command.error
    if command.turns:
        data["turns"] = list(command.turns)
    if command.original is not None:
        data["original"] = command.original
    return [_event(state, at, "streamed", None, data, command.cid)]


def _record(state: RoomState, command: Record, at: int) -> list[Event]:
    data = {"kind": command.kind, "value": command.value}
    return [_event(state, at, "recorded", command.member, data)]


def _pass_over(state: RoomState, command: PassOver, at: int) -> list[Event]:
    _check_storable(command.callback, command.error)
    data = {
        "callback": command.callback,
        "of": command.of,
        "tries": command.tries,
        "error": command.error,
    }
    return [_event(state, at, "passed_over", None, data, command.cid)]


def _remove(state: RoomState, command: Remove, at: int) -> list[Event]:
    membership = state.memberships.get(command.member)
    if membership is not None and membership.is_removed:
        return []
    _member(state, command.member)
    return [_event(state, at, "removed", command.member)]


def _mute(state: RoomState, command: Mute, at: int) -> list[Event]:
    if _member(state, command.member).is_muted == command.on:
        return []
    return [_event(state, at, "changed", command.member, {"is_muted": command.on})]


def _disclose(state: RoomState, command: Disclose, at: int) -> list[Event]:
    memberships = (
        [_member(state, command.member)]
        if command.member is not None
        else list(state.memberships.values())
    )
    for member in command.to or ():
        _member(state, member)
    told: list[Event] = []
    for membership in memberships:
        to = None if command.to is None else [m for m in command.to if m not in membership.known_to]
        if membership.shown is not None and to != []:
            event = _event(state, at, "disclosed", membership.member, {"to": to})
            told.append(event._replace(seq=state.seq + 1 + len(told)))
    return told


def _close(state: RoomState, command: Close, at: int) -> list[Event]:
    _check_storable(command.reason or "")
    if not state.is_open:
        return []
    return [_event(state, at, "closed", None, {"reason": command.reason})]


def _open(state: RoomState, command: Open, at: int) -> list[Event]:
    return [] if state.is_open else [_event(state, at, "opened")]


def _clear(state: RoomState, command: Clear, at: int) -> list[Event]:
    if command.member is not None:
        _member(state, command.member)
    data: dict[str, Any] = {"scope": "room" if command.member is None else "view"}
    if command.greeting:
        data["greeting"] = True
    return [_event(state, at, "cleared", command.member, data)]


_RULES: dict[type, Callable[..., list[Event]]] = {
    Change: _change,
    Clear: _clear,
    Close: _close,
    Configure: _configure,
    Disclose: _disclose,
    EndStream: _end_stream,
    Join: _join,
    Mute: _mute,
    Open: _open,
    PassOver: _pass_over,
    Post: _post,
    Publish: _publish,
    Record: _record,
    Remove: _remove,
    Resubmit: _resubmit,
    Say: _say,
    Withhold: _withhold,
}


# ── what the rules share ─────────────────────────────────────────────────────────────────────


def _member(state: RoomState, member: str) -> Membership:
    membership = state.memberships.get(member)
    if membership is None:
        raise Refused("not_member")
    if membership.is_removed:
        raise Refused("removed")
    return membership


def check_text(text: str) -> None:
    """Refuse what a person's text may not hold: control characters and lone surrogates."""
    if _UNWRITABLE.search(text):
        raise Refused("bad_text")


_UNWRITABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
"""Unicode's categories Cc, but for tab and line ends, and Cs."""


def _strings(parts: Iterable[Part]) -> list[str]:
    return [content if isinstance(content, str) else repr(content) for _, content in parts]


def _check_storable(*texts: str) -> None:
    for text in texts:
        if "\0" in text or any("\ud800" <= c <= "\udfff" for c in text):
            raise Refused("bad_text")


def _event(
    state: RoomState,
    at: int,
    kind: str,
    member: str | None = None,
    data: Mapping[str, Any] | None = None,
    cid: str | None = None,
) -> Event:
    return Event(state.seq + 1, at, kind, member, data or {}, cid)
