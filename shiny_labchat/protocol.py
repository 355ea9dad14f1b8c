"""
The frames between a browser and the gateway, version 3. Pure.

Every frame is one JSON object with a type ``t``. A websocket message to a browser holds one or
more frames, one per line; a message from a browser holds one.

Browser → server::

    {"t": "hello", "v": 3, "ticket": "...", "after": "ID"}   first; or "resume" for "ticket";
                                                           after: the newest item it has, "": none
    {"t": "send", "cid": "...", "text": "...", "typed": {"keystrokes": 31, ...}}   cid: the
                                                           browser's id, <= 64 characters; typed:
                                                           what the state asks for of how it was
                                                           written, see `domain.telemetry`
    {"t": "typing"}                                        again every TYPING_EVERY s while typing
    {"t": "older", "before": "ID"}                         one page of what came before
    {"t": "stop", "id": "ID"}                              end a stream, if they may do that
    {"t": "check"}                                         asks whether the server is there
    {"t": "pong", "hidden": 0, "quiet": 1200}              answers a ping: how long the page has
                                                           been hidden (0: it is not), and without
                                                           a key or pointer, in ms
    {"t": "confirm", "id": "ID"}                           the person is still there
    {"t": "done", "cid": "..."}                            the person is done; the state says so,
                                                           or a refusal with this id

Server → browser::

    {"t": "welcome", "v": 3, "resume": "...", "title": "...", "you": {"h", "name", "role"},
     "max": 5000, "state": {...}, "e": [item, ...], "more": true, "reset": true, "before": "ID"}
         reset: forget what is drawn, the items are the newest screen; more: there are older items;
         before: as in `older`
    {"t": "events", "e": [item, ...]}                      what is new, in the room's order
    {"t": "older", "e": [item, ...], "more": false, "before": "ID"}   before: only where the page
                                                           is short though there may be more: what
                                                           to ask on with
    {"t": "chunks", "of": [["ID", more, keep, deps], ...]} what streams have said since; more: a
         text, which continues the last part; or parts, where one of kind "" continues it; keep:
         only so many units stay of what was there before (of UTF-16; a part that is no text is
         one unit), the rest is taken back; null or left out: all of it stays
    {"t": "acks", "of": [["cid", "ID"], ...]}              stored, and as which item; it has come
                                                           before, if it is to be shown at all
    {"t": "refused", "cid": "...", "code": "...", "say": "..."}
    {"t": "state", "state": {"is": "open" | "closed" | "removed", "write": true,
                             "code": "read_only", "say": "...", "reason": "...", "name": "...",
                             "clock": {"is": "waiting" | "running" | "paused", "left": 90000,
                                       "text": "{time} left", "say": "..."},
                             "gate": "...", "later": {"left": 9000, "runs": true, "text": "..."},
                             "done": "...", "max": 280,
                             "turn": {"is": "mine" | "others", "name": "...", "text": "...",
                                      "left": 45000, "say": "..."},
                             "hold": {"code": "cooldown", "say": "...", "left": 4000,
                                      "text": "..."},
                             "typed": "counts" | "rhythm" | "pasted", "no_paste": "..."}}
         clock: where people have a time; left: so many ms until it starts or is over; text: how
         that is shown; say: a warning, or why it stands still; gate: why the person cannot be done
         yet, later: or not before so many ms, which run if it has begun; done: that they are; max:
         how long a message may be; turn: whose turn it is, and how long yet, if that has an end;
         hold: why a message that is written cannot be sent yet, and for how many ms, if that is
         known; typed: what is to be sent of how messages are written; no_paste: what is said where
         nothing may be pasted
    {"t": "presence", "n": 3, "who": [["h", "name", "role"], ...]}   n may exceed the names,
                                                           which are in the order of handles
    {"t": "here", "n": 4, "came": [["h", "name", "role"], ...], "went": ["h", ...]}   who is
         named since, or otherwise than before, and who is not any more
    {"t": "typing", "who": [["h", "name"], ...]}
    {"t": "checked"}                                       the answer to a check
    {"t": "ping"}                                          asks whether the page is alive
    {"t": "asked", "id": "ID", "within": 15000}            ask the person whether they are still
                                                           there, for so many ms; id null: not
                                                           any more
    {"t": "bye", "code": "...", "say": "...", "again": false}   then the socket closes;
                                                           again: whether to try again later

An item is a message, or has a kind ``k``: ``{"k": "cleared", "id": "ID"}`` (forget all before it;
with ``"greeting": true`` the greeting, too), or the end of a stream, ``{"k": "end", "id": "ID",
"of": "ID", "is": "done" | "stopped" | "failed" | "withheld" | "interrupted"}`` (all of its text has
come before; a message that has failed without any content goes away), or
``{"k": "withdrawn", "id": "ID", "h": "handle"}`` (all messages of somebody are blank now; with
``"anew": true`` what others have quoted of them, too: the page asks for all that it shows again),
or ``{"k": "retracted", "id": "ID", "of": "ID"}`` (a message goes away). A message is::

    {"id": "ID", "h": "handle", "name": "Teal Otter", "at": 1760000000000, "text": "..."}

or, where they apply, with these in addition, or for ``text``::

     "role": "assistant" | "system",                       else "user"
     "parts": [["text" | "markdown" | "html", "..."], ...],
     "as": "...", "icon": "<svg ...>", "deps": [...], "only": true,   as: the id that the app gave
     "withdrawn": true,                                    there is neither name nor text any more
     "live": true, "by": "handle", "is": "stopped"         live: a stream, whose parts come in
                                                           `chunks`; by: who may stop it; is: how
                                                           it ended, if not well

Other kinds of parts are "trusted", "thinking", and shinychat's blocks of what tools do, as objects.
A page ignores a part of a kind that it does not know.

``at`` is in milliseconds since 1970 (UTC). Handles are random and different in each room; no frame
has a person's id in it, and every role is the role that *this* viewer is shown. Ids are opaque (see
`domain.opaque`), and the order of items is that of the frames: so nobody can count what they are
not shown. Each kind of part is trusted differently: "text" is only ever shown as text, "markdown"
is sanitised, "html" is the developer's own, and "trusted" is markdown of the developer's own, with
HTML as written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import orjson

from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.limits import longest
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.domain.shown_item import shown_deps, shown_item, shown_withdrawal
from shiny_labchat.domain.shown_state import shown_state
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.telemetry import BOUNDS, MOST_TIMES, RHYTHM
from shiny_labchat.errors import BadFrame
from shiny_labchat.words import Words

__all__ = [
    "CLOSE_CODES",
    "MAX_FRAME",
    "TYPING_EVERY",
    "VERSION",
    "Check",
    "Chunk",
    "Confirm",
    "Done",
    "Frame",
    "Hello",
    "Older",
    "Pong",
    "Send",
    "Stop",
    "Typing",
    "acks",
    "asked",
    "bye",
    "checked",
    "chunks",
    "decode",
    "events",
    "fields_of",
    "here",
    "item",
    "older",
    "person",
    "ping",
    "presence",
    "refused",
    "state",
    "together",
    "typing",
    "welcome",
    "withdrawn",
]

VERSION = 3
MAX_FRAME = 262_144
"""Longest frame that a browser may send, in characters."""
TYPING_EVERY = 3.0
"""A browser says "typing" at most this often, in seconds."""
TOGETHER = 20_480
"""Longest websocket message that several frames are joined into, in characters."""
NAMES_SHOWN = 100
"""Most people whom a presence frame names; beyond that only the count grows."""
LONGEST = 10**12
"""Longest time that a page may say that something lasts, in milliseconds: about 30 years."""
CLOSE_CODES = {
    "bad_frame": 4400,
    "bad_text": 4400,
    "ticket": 4401,
    "origin": 4403,
    "removed": 4403,
    "revoked": 4403,
    "not_member": 4403,
    "old_page": 4426,
    "too_big": 4413,
    "too_fast": 4429,
    "too_many_tabs": 4409,
    "busy": 1013,
}
"""The websocket's close code for a code of `SENTENCES`; 1011 for those not listed."""


# ── from the browser ─────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class Hello:
    """The first frame, with a ticket, or with a resume token to open the socket again."""

    token: str
    is_resume: bool
    after: str = ""


@dataclass(frozen=True, slots=True)
class Send:
    """A person's message."""

    cid: str
    text: str
    typed: Mapping[str, Any] | None = None
    """What its page has counted while it was written; None: nothing."""


@dataclass(frozen=True, slots=True)
class Typing:
    """The person is typing."""


@dataclass(frozen=True, slots=True)
class Older:
    """Asks for the page before an item."""

    before: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Asks to end a stream."""

    id: str


@dataclass(frozen=True, slots=True)
class Check:
    """Asks whether the server is there."""


@dataclass(frozen=True, slots=True)
class Pong:
    """
    The answer of a page that is alive.

    `hidden`: for how long it has been hidden, 0: it is not; `quiet`: for how long there was no key
    or pointer; both in milliseconds.
    """

    hidden: int
    quiet: int


@dataclass(frozen=True, slots=True)
class Confirm:
    """The person says that they are still there, as they were asked."""

    id: str


@dataclass(frozen=True, slots=True)
class Done:
    """The person says that they are done."""

    cid: str


Frame = Hello | Send | Typing | Older | Stop | Check | Pong | Confirm | Done


def fields_of(raw: str) -> dict[str, object]:
    """
    The fields of a frame that a browser sent.

    Raises
    ------
    BadFrame
        It is too long, or is not a JSON object.
    """
    if len(raw) > MAX_FRAME:
        raise BadFrame("too_big", f"{len(raw)} characters")
    try:
        loaded: object = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise BadFrame("bad_frame", f"not JSON: {exc}") from exc
    if not isinstance(loaded, dict):
        raise BadFrame("bad_frame", "not an object")
    return cast("dict[str, object]", loaded)


def decode(raw: str) -> Frame:
    """
    The frame that a browser sent.

    Raises
    ------
    BadFrame
        It is too long, is not a JSON object, or lacks a field that its type needs.
    """
    fields = fields_of(raw)
    match fields.get("t"):
        case "send":
            text = _text(fields, "text", MAX_FRAME)
            return Send(_id(fields, "cid", 64), text, _typed(fields))
        case "typing":
            return Typing()
        case "check":
            return Check()
        case "pong":
            return Pong(_duration(fields, "hidden"), _duration(fields, "quiet"))
        case "confirm":
            return Confirm(_id(fields, "id", 64))
        case "done":
            return Done(_id(fields, "cid", 64))
        case "older":
            return Older(_id(fields, "before", 64))
        case "stop":
            return Stop(_id(fields, "id", 64))
        case "hello":
            return _hello(fields)
        case kind:
            raise BadFrame("bad_frame", f"unknown type {str(kind)[:40]!r}")


def _hello(fields: Mapping[str, object]) -> Hello:
    version = fields.get("v")
    if type(version) is int and 0 < version < VERSION:
        raise BadFrame("old_page", f"version {version}")
    if version != VERSION:
        raise BadFrame("bad_frame", f"version {str(version)[:20]}, not {VERSION}")
    is_resume = "resume" in fields
    token = _id(fields, "resume" if is_resume else "ticket", 128)
    return Hello(token, is_resume, _text(fields, "after", 64))


def _text(fields: Mapping[str, object], name: str, longest: int) -> str:
    value = fields.get(name)
    if not isinstance(value, str) or len(value) > longest:
        raise BadFrame("bad_frame", f"{name} is not a text of at most {longest} characters")
    return value


def _id(fields: Mapping[str, object], name: str, longest: int) -> str:
    value = _text(fields, name, longest)
    if not (value and value.isascii() and value.isprintable()):
        raise BadFrame("bad_frame", f"{name} is not printable ASCII of 1 to {longest} characters")
    return value


def _duration(fields: Mapping[str, object], name: str) -> int:
    return _number(fields.get(name), name, LONGEST)


def _number(value: object, name: str, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise BadFrame("bad_frame", f"{name} is not a whole number from 0 to {most}")
    return value


def _typed(fields: Mapping[str, object]) -> dict[str, Any] | None:
    """What a page has counted of a message; what a newer page may count is left out."""
    if "typed" not in fields:
        return None
    given = fields["typed"]
    if not isinstance(given, dict):
        raise BadFrame("bad_frame", "typed is not an object")
    sent = cast("dict[str, object]", given)
    typed: dict[str, Any] = {
        name: _number(sent[name], name, most) for name, most in BOUNDS.items() if name in sent
    }
    if RHYTHM in sent:
        typed[RHYTHM] = _times(sent[RHYTHM])
    return typed


def _times(given: object) -> list[int]:
    if not isinstance(given, list) or len(cast("list[object]", given)) > MOST_TIMES:
        raise BadFrame("bad_frame", f"{RHYTHM} is not a list of at most {MOST_TIMES} times")
    return [_number(each, RHYTHM, LONGEST) for each in cast("list[object]", given)]


# ── to the browser ───────────────────────────────────────────────────────────────────────────


def item(event: Event, seed: str) -> str | None:
    """The item of an event as JSON text, in the room with this seed; None: it is not shown."""
    shown = shown_item(event, seed)
    return None if shown is None else _json(shown)


def withdrawn(seq: int, seed: str, handle: str, *, anew: bool = False) -> str:
    """The item that says that all messages of somebody are blank; `anew`: others have changed."""
    return _json(shown_withdrawal(seq, seed, handle, anew=anew))


class Chunk(NamedTuple):
    """Parts that a stream has added; unless `keep` is None, only so many units stay before them."""

    seq: int
    parts: Sequence[Part]
    keep: int | None
    deps: Sequence[Mapping[str, Any]]


def chunks(all: Iterable[Chunk], seed: str) -> str:
    """The frame of what streams have said since the last one."""
    return _json({"t": "chunks", "of": [_chunk(each, seed) for each in all]})


def _chunk(chunk: Chunk, seed: str) -> list[Any]:
    id, parts = id_of(seed, chunk.seq), chunk.parts
    more = parts[0][1] if len(parts) == 1 and not parts[0][0] else parts
    if chunk.deps:
        return [id, more, chunk.keep, shown_deps(chunk.deps)]
    return [id, more] if chunk.keep is None else [id, more, chunk.keep]


def events(items: Iterable[str]) -> str:
    """The frame of new items."""
    return f'{{"t":"events","e":[{",".join(items)}]}}'


def older(items: Iterable[str], more: bool, before: str | None = None) -> str:
    """The frame of a page of older items; `more`: there are older ones, `before` this id."""
    onward = "" if before is None else f'"before":"{before}",'
    return f'{{"t":"older","more":{_json(more)},{onward}"e":[{",".join(items)}]}}'


def welcome(
    room: RoomState,
    viewer: Membership,
    words: Words,
    resume: str | None,
    items: Sequence[str],
    more: bool,
    reset: bool,
    before: str | None = None,
    at: int = 0,
) -> str:
    """The answer to a hello: who the viewer is, and the newest screen or what they missed."""
    head = _json(
        {
            "t": "welcome",
            "v": VERSION,
            "resume": resume,
            "title": room.title,
            "you": {"h": viewer.handle, "name": viewer.pseudonym, "role": viewer.role},
            "max": longest(room, viewer),
            "state": shown_state(room, viewer, words, at),
            "more": more,
            "reset": reset,
            **({} if before is None else {"before": before}),
        }
    )
    return f'{head[:-1]},"e":[{",".join(items)}]}}'


def together(frames: Iterable[str]) -> list[str]:
    """Frames joined into few websocket messages, each short enough for a slow connection."""
    pieces: list[str] = []
    for frame in frames:
        if pieces and len(pieces[-1]) + len(frame) < TOGETHER:
            pieces[-1] += f"\n{frame}"
        else:
            pieces.append(frame)
    return pieces


def text_frame(text: str) -> bytes:
    """A text as one frame of a websocket, as a server sends it (RFC 6455, section 5.2)."""
    payload = text.encode()
    size = len(payload)
    if size < 126:
        head = bytes((0x81, size))
    elif size < 65_536:
        head = b"\x81\x7e" + size.to_bytes(2)
    else:
        head = b"\x81\x7f" + size.to_bytes(8)
    return head + payload


def state(room: RoomState, viewer: Membership, words: Words, at: int = 0) -> str:
    """The frame that tells a viewer the room's new state at a time, see `shown_state`."""
    return _json({"t": "state", "state": shown_state(room, viewer, words, at)})


def acks(stored: Sequence[tuple[str, str]]) -> str:
    """The frame that says that messages are stored, by the browser's ids and the items'."""
    return _json({"t": "acks", "of": stored})


def refused(cid: str, code: str, say: str) -> str:
    """The frame that says that a message was not stored, and why."""
    return _json({"t": "refused", "cid": cid, "code": code, "say": say})


def person(membership: Membership, viewer: str | None = None) -> tuple[str, str, str]:
    """A person as frames name them, with the role that the viewer is shown."""
    return membership.handle, membership.pseudonym, membership.role_for(viewer)


def presence(number: int, who: Iterable[Membership], viewer: str | None = None) -> str:
    """The frame of who has the room open: each person once, at most `NAMES_SHOWN` by name."""
    people = [person(membership, viewer) for membership in who]
    return _json({"t": "presence", "n": number, "who": people})


def here(
    number: int, came: Iterable[Membership], went: Sequence[str], viewer: str | None = None
) -> str:
    """The frame of what has changed in who has the room open."""
    people = [person(membership, viewer) for membership in came]
    return _json({"t": "here", "n": number, "came": people, "went": went})


def typing(memberships: Sequence[Membership]) -> str:
    """The frame of who is typing."""
    return _json(
        {
            "t": "typing",
            "who": [[membership.handle, membership.pseudonym] for membership in memberships],
        }
    )


def checked() -> str:
    """The answer to a check."""
    return '{"t":"checked"}'


def ping() -> str:
    """The frame that asks a page whether it is alive."""
    return '{"t":"ping"}'


def asked(id: str | None, within: int = 0) -> str:
    """The frame that has a person asked whether they are there, for so many ms; None: not more."""
    return _json(
        {"t": "asked", "id": id} if id is None else {"t": "asked", "id": id, "within": within}
    )


def bye(code: str, say: str, again: bool = False) -> str:
    """The last frame before the server closes the socket."""
    return _json({"t": "bye", "code": code, "say": say, "again": again})


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
