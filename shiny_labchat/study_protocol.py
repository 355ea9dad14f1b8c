"""
The frames between a browser and the gateway about a study. Pure.

They are as those of a room (`protocol`), with the same version. Browser → server::

    {"t": "hello", "v": 3, "ticket": "..."}                first; or "resume" for "ticket"
    {"t": "pong", "hidden": 0, "quiet": 1200}              answers a ping, as in a room
    {"t": "check"}                                         asks whether the server is there
    {"t": "do", "cid": "...", "do": "ready"}               one of `ACTIONS`; cid: the browser's id

What is said with "do": for "consent" ``"version"`` and ``"answers": {"ID": true}``, for "stop"
``"delete": true``, for "debriefed" ``"keep": true | false | null``, for "name" ``"name"``; for the
others nothing.

Server → browser::

    {"t": "welcome", "v": 3, "resume": "...", "words": {"time.minutes_one": "...", ...}}
         resume: what the page's next socket is opened with; words: those for times
    {"t": "screen", "screen": {...}}                       what the person sees from now on
    {"t": "did", "cid": "..."}                             stored
    {"t": "refused", "cid": "...", "code": "...", "say": "..."}
    {"t": "ping"}, {"t": "checked"}, {"t": "bye", ...}     as in a room

A screen is::

    {"is": "none" | "consent" | "name" | "waiting" | "ready" | "wait_again" | "idle" | "moment" |
           "barrier" | "ended" | "other_window",
     "title": "...", "lines": ["...", ...],
     "buttons": [{"do": "...", "label": "...", "primary": true, "with": {...}, "ask": {"title",
                  "text", "yes", "no"}}, ...]}             with: sent with it; ask: asked before

with these in addition, where they apply::

     "html": "<p>...</p>"                                  the developer's own text
     "clock": {"left": 12000, "text": "... {time} ..."}    ms that are left, at the time of sending
     "items": [{"id", "text", "required"}], "version", "needed", "missing"   of the consent: what to
                                                           agree to, and words for what is missing
     "field": {"name": "name", "label": "..."}             a line of text, sent by this name
     "stop": {"label", "title", "text", "data", "keep", "delete", "limits", "cancel"}
     "attention": {"sound": true, "title": "..." | null, "notify": "..." | null}
     "notify": "..."                                       the label that asks whether to notify
     "debrief": {"title", "html", "lines", "keep": {"title", "text", "yes", "no"}}
     "code": {"label", "text", "value", "copy", "copied"}, "link": {"href", "label"},
     "contact": "..."                                      whom to write to, as a sentence

No screen has the id of a person, a room or a match, a condition, or anything of the recruiter's but
the code (see `domain.screens`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

import orjson

from shiny_labchat import protocol
from shiny_labchat.domain.screen_parts import ACTIONS, Action
from shiny_labchat.errors import BadFrame
from shiny_labchat.words import Words

__all__ = ["Do", "Frame", "decode", "did", "screen", "welcome"]

MAX_ITEMS = 100
"""Most items of a consent that a browser may answer."""
LONGEST = 200
"""Longest id of an item, longest version and longest name, in characters."""


@dataclass(frozen=True, slots=True)
class Do:
    """
    Something that a person does on their screen.

    Parameters
    ----------
    cid
        The browser's id of it.
    action
        What they do.
    version, answers
        The version of the consent, and the answers to its items.
    delete
        Whether their data are to be deleted; None: they were not asked.
    keep
        Whether their data may be kept; None: they were not asked.
    name
        The pseudonym that they choose.
    """

    cid: str
    action: Action
    version: str = ""
    answers: Mapping[str, bool] = field(default_factory=dict[str, bool])
    delete: bool | None = None
    keep: bool | None = None
    name: str = ""


Frame = protocol.Hello | protocol.Pong | protocol.Check | Do


def decode(raw: str) -> Frame:
    """
    The frame that a browser sent.

    Raises
    ------
    BadFrame
        It is too long, is not a JSON object, or lacks a field that its type needs.
    """
    fields = protocol.fields_of(raw)
    if fields.get("t") == "do":
        return _do(fields)
    if fields.get("t") == "hello":
        raw = json.dumps({**fields, "after": ""})
    frame = protocol.decode(raw)
    if not isinstance(frame, protocol.Hello | protocol.Pong | protocol.Check):
        raise BadFrame("bad_frame", f"{fields.get('t')!r} is no frame of a study")
    return frame


def _do(fields: Mapping[str, object]) -> Do:
    action, cid = fields.get("do"), fields.get("cid")
    if action not in ACTIONS:
        raise BadFrame("bad_frame", f"unknown action {str(action)[:40]!r}")
    if not (isinstance(cid, str) and 0 < len(cid) <= 64 and cid.isascii() and cid.isprintable()):
        raise BadFrame("bad_frame", "cid is not printable ASCII of 1 to 64 characters")
    match action:
        case "consent":
            return Do(cid, action, _line(fields, "version"), _answers(fields))
        case "stop":
            return Do(cid, action, delete=_bool(fields, "delete"))
        case "debriefed":
            return Do(cid, action, keep=_bool(fields, "keep"))
        case "name":
            return Do(cid, action, name=_line(fields, "name"))
        case _:
            return Do(cid, action)


def _line(fields: Mapping[str, object], name: str) -> str:
    line = fields.get(name)
    if not isinstance(line, str) or len(line) > LONGEST:
        raise BadFrame("bad_frame", f"{name} is not a text of at most {LONGEST} characters")
    return line


def _answers(fields: Mapping[str, object]) -> dict[str, bool]:
    answers = fields.get("answers", {})
    if not isinstance(answers, dict) or len(cast("dict[str, object]", answers)) > MAX_ITEMS:
        raise BadFrame("bad_frame", f"answers is not an object of at most {MAX_ITEMS} items")
    given = cast("dict[str, object]", answers)
    for item, answer in given.items():
        if len(item) > LONGEST or not isinstance(answer, bool):
            raise BadFrame("bad_frame", "an answer is not true or false")
    return cast("dict[str, bool]", given)


def _bool(fields: Mapping[str, object], name: str) -> bool | None:
    value = fields.get(name)
    if value is not None and not isinstance(value, bool):
        raise BadFrame("bad_frame", f"{name} is not true, false or null")
    return value


# ── to the browser ───────────────────────────────────────────────────────────────────────────


def welcome(resume: str, words: Words) -> str:
    """The first frame; `resume`: the token with which the page's next socket is opened."""
    times = {key: words[key] for key in _TIMES}
    return _json({"t": "welcome", "v": protocol.VERSION, "resume": resume, "words": times})


_TIMES = tuple(f"time.{unit}_{many}" for unit in ("minutes", "seconds") for many in ("one", "many"))


def screen(data: Mapping[str, Any]) -> str:
    """The frame with what a person sees from now on."""
    return _json({"t": "screen", "screen": dict(data)})


def did(cid: str) -> str:
    """The frame that says that what somebody did is stored."""
    return _json({"t": "did", "cid": cid})


def _json(frame: dict[str, Any]) -> str:
    return orjson.dumps(frame).decode()
