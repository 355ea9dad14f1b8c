"""The state of a room as a viewer is shown it: whether they may write, and their time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.rules import is_timed
from shiny_labchat.domain.state import RoomState
from shiny_labchat.words import Words

__all__ = ["shown_state"]


def shown_state(room: RoomState, viewer: Membership, words: Words, at: int = 0) -> dict[str, Any]:
    """
    The room's state for one viewer: whether they may write, and if not, why.

    `at`: the time, in microseconds since 1970, where people of the room have one.
    """
    code = room.silence(viewer)
    shown: dict[str, Any] = {"is": "open" if room.is_open else "closed"}
    if viewer.is_removed:
        shown["is"] = "removed"
    shown |= {"write": code is None, "name": viewer.pseudonym, "title": room.title}
    if code is not None:
        shown |= {"code": code, "say": words[code]}
    if room.reason and not room.is_open:
        shown |= _shown_reason(room.reason, words)
    if room.is_open and is_timed(room.rules):
        shown |= _shown_clock(room, words, at)
    if room.rules.min_messages and (left := room.messages_left(viewer)):
        shown["gate"] = words.counted("done.messages", left)
    if viewer.member in room.done:
        shown["done"] = words["done.pressed"]
    return shown


def _shown_reason(reason: str, words: Words) -> dict[str, Any]:
    """Why a room is closed: the app's words, or ours if its rules have closed it."""
    if reason not in _OWN_REASONS:
        return {"reason": reason}
    key = _OWN_REASONS[reason]
    return {} if key is None else {"reason": words[key]}


_OWN_REASONS: Mapping[str, str | None] = {
    "time": "clock.over",
    **dict.fromkeys(("all_done", "any_done", "gone", "group_dissolved", "round_over")),
}
"""The reasons for which rooms are closed by rules, and the keys of their words, if any."""


def _shown_clock(room: RoomState, words: Words, at: int) -> dict[str, Any]:
    rules, clock = room.rules, room.clock
    left, starts_by = clock.left(rules, at), clock.starts_by(rules)
    if left is not None:
        shown = {"is": "running", "left": left // 1000, "text": words["clock.left"]}
        if clock.paused:
            shown |= {"is": "paused", "say": words["clock.paused"]}
        elif clock.warned is not None:
            warned = words.duration(clock.warned)
            shown["say"] = words.filled("clock.left", time=warned)
    elif starts_by is not None and not room.has_begun:
        waits = max(0, starts_by - at) // 1000
        shown = {"is": "waiting", "left": waits, "text": words["clock.waiting"]}
    else:
        return {}
    return {"clock": shown}
