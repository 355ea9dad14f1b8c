"""The screens of a study, as its server sends them."""

from __future__ import annotations

from typing import Any

from shiny_labchat.words import ENGLISH as WORDS

__all__ = ["SCREENS", "STOP"]

Screen = dict[str, Any]

STOP = {
    name: WORDS[f"stop.{key}"]
    for name, key in {
        "label": "button", "title": "title", "text": "text", "data": "data", "keep": "keep",
        "delete": "delete", "limits": "limits", "cancel": "cancel",
    }.items()
}  # fmt: skip

CONSENT: Screen = {
    "is": "consent",
    "title": WORDS["consent.title"],
    "html": "<p>You will talk to one or two people for <strong>five minutes</strong>. You may "
    'stop at any time. <a href="https://example.org/privacy">What becomes of your data</a></p>',
    "items": [
        {"id": "adult", "text": "I am at least 18 years old.", "required": True},
        {"id": "share", "text": "My words may be published, without my name.", "required": False},
    ],
    "version": "2026-11",
    "needed": WORDS["consent.needed"],
    "missing": WORDS["consent.missing"],
    "buttons": [
        {"do": "consent", "label": WORDS["consent.accept"], "primary": True},
        {"do": "refuse", "label": WORDS["consent.refuse"], "primary": False},
    ],
}
WAITING: Screen = {
    "is": "waiting",
    "title": WORDS["lobby.title"],
    "lines": [
        WORDS.filled("lobby.count", here=1, needed=3),
        WORDS["lobby.then_leave"],
        WORDS["lobby.stay"],
        WORDS["lobby.sound"],
    ],
    "notify": WORDS["lobby.notify"],
    "clock": {"left": 272_000, "text": WORDS["lobby.remaining"]},
    "buttons": [
        {
            "do": "leave",
            "label": WORDS["lobby.leave"],
            "primary": False,
            "ask": {
                "title": WORDS["lobby.leave_title"],
                "text": WORDS["lobby.leave_text"],
                "yes": WORDS["lobby.leave"],
                "no": WORDS["lobby.leave_cancel"],
            },
        }
    ],
    "stop": STOP,
}
READY: Screen = {
    "is": "ready",
    "title": WORDS["ready.title"],
    "lines": [WORDS.filled("ready.text", time=WORDS.duration(15))],
    "clock": {"left": 14_000, "text": WORDS["clock.left"]},
    "buttons": [{"do": "ready", "label": WORDS["ready.button"], "primary": True}],
    "stop": STOP,
    "attention": {"sound": True, "title": WORDS["ready.title"], "notify": WORDS["ready.title"]},
}
WAIT_AGAIN: Screen = {
    "is": "wait_again",
    "title": WORDS["wait_again.title"],
    "lines": [WORDS["wait_again.text"]],
    "buttons": [
        {"do": "wait_again", "label": WORDS["wait_again.yes"], "primary": True},
        {"do": "leave", "label": WORDS["wait_again.no"], "primary": False},
    ],
    "stop": STOP,
}
IDLE: Screen = {
    "is": "idle",
    "title": WORDS["idle.title"],
    "lines": [WORDS.filled("idle.text", time=WORDS.duration(15))],
    "clock": {"left": 15_000, "text": WORDS["clock.left"]},
    "buttons": [{"do": "confirm", "label": WORDS["idle.button"], "primary": True}],
    "stop": STOP,
    "attention": {"sound": True, "title": WORDS["idle.title"], "notify": None},
}
MOMENT: Screen = {"is": "moment", "title": WORDS["one_moment"], "stop": STOP}
BARRIER: Screen = {
    "is": "barrier",
    "title": WORDS["one_moment"],
    "clock": {"left": 100_000, "text": WORDS["barrier.waiting"]},
    "stop": STOP,
}
ENDED: Screen = {
    "is": "ended",
    "title": WORDS["ended.complete"],
    "lines": [
        WORDS["ended.complete.text"],
        WORDS["pay.full"],
        WORDS.filled("pay.bonus", amount="£2.00"),
    ],
    "debrief": {
        "title": WORDS["debrief.title"],
        "html": "<p>We wanted to know how groups agree. Thank you.</p>",
        "lines": [WORDS.filled("debrief.programme_one", names="Amber Aardvark")],
        "keep": {key: WORDS[f"keep.{key}"] for key in ("title", "text", "yes", "no")},
    },
    "code": {key: WORDS[f"code.{key}"] for key in ("label", "text", "copy", "copied")}
    | {"value": "C1ABC7QX"},
    "link": {"href": "labchat/end/abc", "label": WORDS["code.link"]},
    "contact": WORDS.filled("contact", contact="lab@example.org"),
}
ERROR: Screen = {
    "is": "ended",
    "title": WORDS["ended.error"],
    "lines": [WORDS["ended.error.text"], WORDS["pay.full"], WORDS["ended.close"]],
    "contact": WORDS.filled("contact", contact="lab@example.org"),
}
OTHER_WINDOW: Screen = {
    "is": "other_window",
    "title": WORDS["other_window"],
    "buttons": [{"do": "here", "label": WORDS["go_on"], "primary": True}],
}
NONE: Screen = {"is": "none", "stop": STOP}

SCREENS = {
    "consent": CONSENT,
    "waiting": WAITING,
    "ready": READY,
    "wait_again": WAIT_AGAIN,
    "idle": IDLE,
    "moment": MOMENT,
    "barrier": BARRIER,
    "ended": ENDED,
    "error": ERROR,
    "other_window": OTHER_WINDOW,
    "none": NONE,
}
"""By name; "error" is another end."""
