"""
The frames between a browser and the gateway, version 1. Pure.

Every frame is one JSON object with a type ``t``. A websocket message to a browser holds one or
more frames, one per line; a message from a browser holds one.

Browser → server::

    {"t": "hello", "v": 1, "ticket": "...", "after": 41}   first; or "resume" for "ticket";
                                                           after: newest seq it has, 0: none
    {"t": "send", "cid": "...", "text": "..."}             cid: the browser's id, <= 64 characters
    {"t": "typing"}                                        again every TYPING_EVERY s while typing
    {"t": "older", "before": 42}                           one page of what came before
    {"t": "stop", "seq": 42}                               end a stream, if they may do that
    {"t": "ping"}

Server → browser::

    {"t": "welcome", "v": 1, "resume": "...", "title": "...", "you": {"h", "name", "role"},
     "max": 5000, "state": {...}, "upto": 41, "e": [item, ...], "more": true, "reset": true}
         reset: forget what is drawn, the items are the newest screen; more: there are older items
    {"t": "events", "upto": 43, "e": [item, ...]}          upto: the browser's cursor after it;
                                                           gaps in the seqs of items are no loss
    {"t": "older", "e": [item, ...], "more": false}
    {"t": "chunks", "of": [[seq, more, keep, deps], ...]}  what streams have said since; more: a
         text, which continues the last part; or parts, where one of kind "" continues it; keep:
         only so many units stay of what was there before (of UTF-16; a part that is no text is
         one unit), the rest is taken back; null or left out: all of it stays
    {"t": "acks", "of": [["cid", 42], ...]}                stored, and as which seq; the items
                                                           come in `events`
    {"t": "refused", "cid": "...", "code": "...", "say": "..."}
    {"t": "state", "state": {"is": "open" | "closed" | "removed", "write": true,
                             "code": "read_only", "say": "...", "reason": "...", "name": "..."}}
    {"t": "presence", "n": 3, "who": [["h", "name", "role"], ...]}   n may exceed the names
    {"t": "typing", "who": [["h", "name"], ...]}
    {"t": "pong"}
    {"t": "bye", "code": "...", "say": "...", "again": false}   then the socket closes;
                                                           again: whether to try again later

An item is ``{"k": "cleared", "seq": 44}`` (forget all before it; with ``"greeting": true`` the
greeting, too), the end of a stream, ``{"k": "end", "seq": 57, "of": 42, "is": "done" | "stopped" |
"failed" | "withheld" | "interrupted"}`` (all of its text has come before; a message that has failed
without any content goes away), or a message::

    {"k": "msg", "seq": 42, "id": "m42", "h": "handle" | null, "name": "Teal Otter" | null,
     "role": "user" | "assistant" | "system", "at": 1760000000000,
     "parts": [["text" | "markdown" | "html", "..."], ...],
     "icon": "<svg ...>", "deps": [...], "only": true,     these only where they apply
     "live": true, "by": "handle", "is": "stopped"}        live: a stream, whose parts come in
                                                           `chunks`; by: who may stop it; is: how
                                                           it ended, if not well

Other kinds of parts are "trusted", "thinking", and shinychat's blocks of what tools do, as objects.
A page ignores a part of a kind that it does not know.

``at`` is in milliseconds since 1970 (UTC). Handles are random and different in each room; no frame
has a person's id in it, and every role is the role that *this* viewer is shown. Each kind of part
is trusted differently: "text" is only ever shown as text, "markdown" is sanitised, "html" is the
developer's own, and "trusted" is markdown of the developer's own, with HTML as written.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, cast

import orjson

from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.messages import is_void, role_of
from shiny_labchat.domain.state import Membership, RoomState
from shiny_labchat.errors import SENTENCES, BadFrame

__all__ = [
    "CLOSE_CODES",
    "MAX_FRAME",
    "TYPING_EVERY",
    "VERSION",
    "Chunk",
    "Frame",
    "Hello",
    "Older",
    "Ping",
    "Send",
    "Stop",
    "Typing",
    "acks",
    "bye",
    "chunks",
    "decode",
    "events",
    "item",
    "older",
    "pong",
    "presence",
    "refused",
    "state",
    "together",
    "typing",
    "welcome",
]

VERSION = 1
MAX_FRAME = 262_144
"""Longest frame that a browser may send, in characters."""
TYPING_EVERY = 3.0
"""A browser says "typing" at most this often, in seconds."""
TOGETHER = 20_480
"""Longest websocket message that several frames are joined into, in characters."""
NAMES_SHOWN = 100
"""Most names in one presence frame; beyond that only the count grows."""
CLOSE_CODES = {
    "bad_frame": 4400,
    "bad_text": 4400,
    "ticket": 4401,
    "origin": 4403,
    "removed": 4403,
    "not_member": 4403,
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
    after: int


@dataclass(frozen=True, slots=True)
class Send:
    """A person's message."""

    cid: str
    text: str


@dataclass(frozen=True, slots=True)
class Typing:
    """The person is typing."""


@dataclass(frozen=True, slots=True)
class Older:
    """Asks for the page before a seq."""

    before: int


@dataclass(frozen=True, slots=True)
class Stop:
    """Asks to end a stream."""

    seq: int


@dataclass(frozen=True, slots=True)
class Ping:
    """Asks whether the server is there."""


Frame = Hello | Send | Typing | Older | Stop | Ping


def decode(raw: str) -> Frame:
    """
    The frame that a browser sent.

    Raises
    ------
    BadFrame
        It is too long, is not a JSON object, or lacks a field that its type needs.
    """
    if len(raw) > MAX_FRAME:
        raise BadFrame("too_big", f"{len(raw)} characters")
    try:
        loaded: object = json.loads(raw)
    except (ValueError, RecursionError) as exc:
        raise BadFrame("bad_frame", f"not JSON: {exc}") from exc
    if not isinstance(loaded, dict):
        raise BadFrame("bad_frame", "not an object")
    fields = cast("dict[str, object]", loaded)
    match fields.get("t"):
        case "send":
            return Send(_id(fields, "cid", 64), _text(fields, "text", MAX_FRAME))
        case "typing":
            return Typing()
        case "ping":
            return Ping()
        case "older":
            return Older(_seq(fields, "before"))
        case "stop":
            return Stop(_seq(fields, "seq"))
        case "hello":
            return _hello(fields)
        case kind:
            raise BadFrame("bad_frame", f"unknown type {str(kind)[:40]!r}")


def _hello(fields: Mapping[str, object]) -> Hello:
    if fields.get("v") != VERSION:
        raise BadFrame("bad_frame", f"version {str(fields.get('v'))[:20]}, not {VERSION}")
    is_resume = "resume" in fields
    token = _id(fields, "resume" if is_resume else "ticket", 128)
    return Hello(token, is_resume, _seq(fields, "after"))


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


def _seq(fields: Mapping[str, object], name: str) -> int:
    value = fields.get(name)
    if type(value) is not int or not 0 <= value < 2**53:
        raise BadFrame("bad_frame", f"{name} is not a seq (a whole number from 0 to 2**53 - 1)")
    return value


# ── to the browser ───────────────────────────────────────────────────────────────────────────


def item(event: Event) -> str | None:
    """The item of an event as JSON text; None: the event is not shown."""
    if event.kind == "message":
        return None if is_void(event) else _json(_message(event))
    if event.kind == "cleared":
        greeting = {"greeting": True} if "greeting" in event.data else {}
        return _json({"k": "cleared", "seq": event.seq, **greeting})
    if event.kind == "streamed":
        of, how = event.data["of"], event.data["is"]
        return _json({"k": "end", "seq": event.seq, "of": of, "is": how})
    return None


def _message(event: Event) -> dict[str, Any]:
    data = event.data
    shown: dict[str, Any] = {
        "k": "msg",
        "seq": event.seq,
        "id": data.get("id") or f"m{event.seq}",
        "h": data.get("h"),
        "name": data.get("name"),
        "role": role_of(event),
        "at": event.at // 1000,
        "parts": data["parts"],
    }
    for key, name in (("icon", "icon"), ("live", "live"), ("by_h", "by"), ("is", "is")):
        if key in data:
            shown[name] = data[key]
    if "deps" in data:
        shown["deps"] = _shown_deps(data["deps"])
    if "audience" in data:
        shown["only"] = True
    return shown


def _shown_deps(deps: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    # "source" is a folder of the server: browsers must not know it
    return [{k: v for k, v in dep.items() if k != "source"} for dep in deps]


class Chunk(NamedTuple):
    """Parts that a stream has added; unless `keep` is None, only so many units stay before them."""

    seq: int
    parts: Sequence[Part]
    keep: int | None
    deps: Sequence[Mapping[str, Any]]


def chunks(all: Iterable[Chunk]) -> str:
    """The frame of what streams have said since the last one."""
    return _json({"t": "chunks", "of": [_chunk(each) for each in all]})


def _chunk(chunk: Chunk) -> list[Any]:
    parts = chunk.parts
    more = parts[0][1] if len(parts) == 1 and not parts[0][0] else parts
    if chunk.deps:
        return [chunk.seq, more, chunk.keep, _shown_deps(chunk.deps)]
    return [chunk.seq, more] if chunk.keep is None else [chunk.seq, more, chunk.keep]


def events(upto: int, items: Iterable[str]) -> str:
    """The frame of new items; the browser's cursor is `upto` after it."""
    return f'{{"t":"events","upto":{upto},"e":[{",".join(items)}]}}'


def older(items: Iterable[str], more: bool) -> str:
    """The frame of a page of older items; `more`: there are still older ones."""
    return f'{{"t":"older","more":{_json(more)},"e":[{",".join(items)}]}}'


def welcome(
    room: RoomState,
    viewer: Membership,
    resume: str | None,
    upto: int,
    items: Sequence[str],
    more: bool,
    reset: bool,
) -> str:
    """The answer to a hello: who the viewer is, and the newest screen or what they missed."""
    head = _json(
        {
            "t": "welcome",
            "v": VERSION,
            "resume": resume,
            "title": room.title,
            "you": {"h": viewer.handle, "name": viewer.pseudonym, "role": viewer.role},
            "max": room.rules.max_length,
            "state": shown_state(room, viewer),
            "upto": upto,
            "more": more,
            "reset": reset,
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


def shown_state(room: RoomState, viewer: Membership) -> dict[str, Any]:
    """The room's state for one viewer: whether they may write, and if not, why."""
    code = room.silence(viewer)
    shown: dict[str, Any] = {"is": "open" if room.is_open else "closed"}
    if viewer.is_removed:
        shown["is"] = "removed"
    shown |= {"write": code is None, "name": viewer.pseudonym, "title": room.title}
    if code is not None:
        shown |= {"code": code, "say": SENTENCES[code]}
    if room.reason and not room.is_open:
        shown["reason"] = room.reason
    return shown


def state(room: RoomState, viewer: Membership) -> str:
    """The frame that tells a viewer the room's new state."""
    return _json({"t": "state", "state": shown_state(room, viewer)})


def acks(stored: Sequence[tuple[str, int]]) -> str:
    """The frame that acknowledges messages, by their ids and seqs: they are stored."""
    return _json({"t": "acks", "of": stored})


def refused(cid: str, code: str, say: str) -> str:
    """The frame that says that a message was not stored, and why."""
    return _json({"t": "refused", "cid": cid, "code": code, "say": say})


def presence(memberships: Sequence[Membership], viewer: str | None = None) -> str:
    """The frame of who has the room open: each person once, with the role the viewer is shown."""
    who = [
        [membership.handle, membership.pseudonym, membership.role_for(viewer)]
        for membership in memberships[:NAMES_SHOWN]
    ]
    return _json({"t": "presence", "n": len(memberships), "who": who})


def typing(memberships: Sequence[Membership]) -> str:
    """The frame of who is typing."""
    return _json(
        {
            "t": "typing",
            "who": [[membership.handle, membership.pseudonym] for membership in memberships],
        }
    )


def pong() -> str:
    """The answer to a ping."""
    return '{"t":"pong"}'


def bye(code: str, say: str | None = None, again: bool = False) -> str:
    """The last frame before the server closes the socket."""
    return _json({"t": "bye", "code": code, "say": say or SENTENCES[code], "again": again})


def _json(value: object) -> str:
    return orjson.dumps(value).decode()
