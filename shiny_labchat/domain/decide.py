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
from shiny_labchat.domain.state import RoomState, Seat
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


def _configure(state: RoomState, wish: Configure, at: int) -> list[Event]:
    _check_storable(wish.title or "")
    news: dict[str, Any] = {}
    if state.seq == 0:
        news["seed"] = wish.seed
    if wish.title is not None and wish.title != state.title:
        news["title"] = wish.title
    if wish.write is not None and wish.write != state.write:
        news["write"] = wish.write
    if wish.rules is not None and wish.rules != state.rules:
        news["rules"] = asdict(wish.rules)
    return [_event(state, at, "configured", None, news)] if news else []


def _join(state: RoomState, wish: Join, at: int) -> list[Event]:
    seat = state.seats.get(wish.member)
    if seat is not None and wish.by_page and seat.is_bot != wish.is_bot:
        raise Refused("taken")
    if seat is not None and not seat.is_removed:
        return []
    if seat is not None and wish.by_page:
        raise Refused("removed")
    data: dict[str, Any] = {
        "handle": seat.handle if seat else wish.handle,
        "pseudonym": _name(state, wish.member, wish.pseudonym),
        "role": wish.role,
        "asked": wish.pseudonym,
    }
    if wish.is_bot:
        data["is_bot"] = True
    if wish.shown is not None:
        data["shown"] = wish.shown
    return [_event(state, at, "joined", wish.member, data)]


def _change(state: RoomState, wish: Change, at: int) -> list[Event]:
    seat = _member(state, wish.member)
    news: dict[str, Any] = {}
    if wish.role is not None and wish.role != seat.role:
        news["role"] = wish.role
    if wish.pseudonym is not None and wish.pseudonym != seat.asked:
        news["pseudonym"] = _name(state, wish.member, wish.pseudonym)
        news["asked"] = wish.pseudonym
    return [_event(state, at, "changed", wish.member, news)] if news else []


def _name(state: RoomState, member: str, asked: str | None) -> str:
    others = [seat for seat in state.seats.values() if seat.member != member]
    taken = [seat.pseudonym for seat in others]
    if asked is None or not pseudonyms.plain(asked):
        return pseudonyms.generate(state.seed, member, taken)
    if "{n}" in asked:
        used = sum(seat.asked == asked for seat in others)
        return pseudonyms.number(asked, used, taken)
    return pseudonyms.unique(asked, taken)


def _say(state: RoomState, wish: Say, at: int) -> list[Event]:
    seat = _member(state, wish.member)
    if (code := state.silence(seat)) is not None:
        raise Refused(code)
    _check_said(state, seat, wish.text, at)
    if wish.waits:
        waiting = {"text": wish.text, "page": wish.page}
        return [_event(state, at, "submitted", wish.member, waiting, wish.cid)]
    data = {
        "role": "user",
        "h": seat.handle,
        "name": seat.pseudonym,
        "parts": [("text", wish.text)],
        "page": wish.page,
    }
    return [_event(state, at, "message", wish.member, data, wish.cid)]


def _check_said(state: RoomState, seat: Seat, text: str, at: int) -> None:
    """What people may say, and how often."""
    check_text(text)
    if not text.strip():
        raise Refused("empty")
    if len(text) > state.rules.max_length:
        raise Refused("too_long", detail=f"At most {state.rules.max_length} characters, please.")
    if seat.allowance(state.rules, at) < 1:
        raise Refused("too_fast")


def _publish(state: RoomState, wish: Publish, at: int) -> list[Event]:
    seat = _member(state, wish.member)
    if (code := state.silence(seat)) is not None:
        raise Refused(code)
    _check_storable(*_strings(wish.parts))
    data: dict[str, Any] = {
        "role": "user",
        "h": seat.handle,
        "name": seat.pseudonym,
        "parts": list(wish.parts),
        "page": wish.page,
        "submitted": wish.of,
        "sent": wish.sent,
    }
    if wish.parts != [("text", wish.text)]:
        data["original"] = wish.text
    return [_event(state, at, "message", wish.member, data, wish.cid)]


def _withhold(state: RoomState, wish: Withhold, at: int) -> list[Event]:
    _check_storable(wish.text, wish.error or "")
    data: dict[str, Any] = {"original": wish.text, "code": wish.code}
    if wish.of is not None:
        data |= {"submitted": wish.of, "page": wish.page}
    if wish.error is not None:
        data["error"] = wish.error
    return [_event(state, at, "withheld", wish.member, data, wish.cid)]


def _resubmit(state: RoomState, wish: Resubmit, at: int) -> list[Event]:
    _member(state, wish.member)
    data = {"text": wish.text, "page": wish.page, "again": wish.of, "sent": wish.sent}
    return [_event(state, at, "submitted", wish.member, data, wish.cid)]


def _post(state: RoomState, wish: Post, at: int) -> list[Event]:
    role, name, handle = wish.role, wish.name, None
    if wish.member is not None:
        seat = _member(state, wish.member)
        code = state.silence(seat)
        if code is not None and (code != "read_only" or seat.is_bot):
            raise Refused(code)  # for people, the app knows who writes here
        name, handle = name or seat.pseudonym, seat.handle
        if seat.is_bot:
            role = "assistant" if seat.role_for(None) == "assistant" else "user"
            if role == "user" and not wish.is_live:  # it passes for a person, whom these bind
                _check_said(state, seat, "".join(_strings(wish.parts)), at)
    if wish.cid is not None and wish.cid.startswith(_KEPT):
        raise ValueError(f"id: {wish.cid!r} is kept for the log; begin it otherwise")
    _check_storable(name or "", wish.cid or "", wish.original or "", *_strings(wish.parts))
    data: dict[str, Any] = {
        "role": role,
        "h": handle,
        "name": name,
        "parts": list(wish.parts),
    }
    if wish.icon is not None:
        data["icon"] = wish.icon
    if wish.deps:
        data["deps"] = list(wish.deps)
    if wish.audience is not None:
        data["audience"] = list(wish.audience)
    if wish.cid is not None and not wish.hides_cid:
        data["id"] = wish.cid
    if wish.cause is not None:
        data["cause"] = wish.cause
    if wish.original is not None:
        data["original"] = wish.original
    if wish.is_live:
        data["live"] = True
        by = state.seat(wish.by)
        if by is not None:
            data |= {"by": by.member, "by_h": by.handle}
    message = _event(state, at, "message", wish.member, data, wish.cid)
    if not wish.takes_two:
        return [message]
    return [_event(state, at, "composed", wish.member), message._replace(seq=message.seq + 1)]


_KEPT = STREAM, SUBMITTED, PASSED_OVER, WITHHELD


def _end_stream(state: RoomState, wish: EndStream, at: int) -> list[Event]:
    _check_storable(wish.original or "", wish.error or "", *_strings(wish.parts))
    data: dict[str, Any] = {"of": wish.of, "is": wish.how, "parts": list(wish.parts)}
    if wish.deps:
        data["deps"] = list(wish.deps)
    if wish.audience is not None:
        data["audience"] = list(wish.audience)
    if wish.error is not None:
        data["error"] = wish.error
    if wish.turns:
        data["turns"] = list(wish.turns)
    if wish.original is not None:
        data["original"] = wish.original
    return [_event(state, at, "streamed", None, data, wish.cid)]


def _record(state: RoomState, wish: Record, at: int) -> list[Event]:
    data = {"kind": wish.kind, "value": wish.value}
    return [_event(state, at, "recorded", wish.member, data)]


def _pass_over(state: RoomState, wish: PassOver, at: int) -> list[Event]:
    _check_storable(wish.callback, wish.error)
    data = {"callback": wish.callback, "of": wish.of, "tries": wish.tries, "error": wish.error}
    return [_event(state, at, "passed_over", None, data, wish.cid)]


def _remove(state: RoomState, wish: Remove, at: int) -> list[Event]:
    seat = state.seats.get(wish.member)
    if seat is not None and seat.is_removed:
        return []
    _member(state, wish.member)
    return [_event(state, at, "removed", wish.member)]


def _mute(state: RoomState, wish: Mute, at: int) -> list[Event]:
    if _member(state, wish.member).is_muted == wish.on:
        return []
    return [_event(state, at, "changed", wish.member, {"is_muted": wish.on})]


def _disclose(state: RoomState, wish: Disclose, at: int) -> list[Event]:
    seats = [_member(state, wish.member)] if wish.member is not None else list(state.seats.values())
    for member in wish.to or ():
        _member(state, member)
    told: list[Event] = []
    for seat in seats:
        to = None if wish.to is None else [m for m in wish.to if m not in seat.known_to]
        if seat.shown is not None and to != []:
            event = _event(state, at, "disclosed", seat.member, {"to": to})
            told.append(event._replace(seq=state.seq + 1 + len(told)))
    return told


def _close(state: RoomState, wish: Close, at: int) -> list[Event]:
    _check_storable(wish.reason or "")
    if not state.is_open:
        return []
    return [_event(state, at, "closed", None, {"reason": wish.reason})]


def _open(state: RoomState, wish: Open, at: int) -> list[Event]:
    return [] if state.is_open else [_event(state, at, "opened")]


def _clear(state: RoomState, wish: Clear, at: int) -> list[Event]:
    if wish.member is not None:
        _member(state, wish.member)
    data: dict[str, Any] = {"scope": "room" if wish.member is None else "view"}
    if wish.greeting:
        data["greeting"] = True
    return [_event(state, at, "cleared", wish.member, data)]


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


def _member(state: RoomState, member: str) -> Seat:
    seat = state.seats.get(member)
    if seat is None:
        raise Refused("not_member")
    if seat.is_removed:
        raise Refused("removed")
    return seat


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
