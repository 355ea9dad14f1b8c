"""The state of a room as a viewer is shown it: whether they may write, and their time. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shiny_labchat.domain.limits import WAITS, explained, gate_of, longest, silence_at
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.rules import is_timed, next_opening, shut
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.telemetry import asked_of
from shiny_labchat.domain.turns import ends_at, turn_at
from shiny_labchat.words import Words

__all__ = ["shown_state"]


def shown_state(room: RoomState, viewer: Membership, words: Words, at: int = 0) -> dict[str, Any]:
    """
    The room's state for one viewer: whether they may write, and if not, why.

    `at`: the time, in microseconds since 1970, where people of the room have one.
    """
    at = max(at, room.shut.at)  # another server's clock may be ahead, which has announced it
    code = silence_at(room, viewer, at)
    is_open = room.is_open and code != "closed"
    shown: dict[str, Any] = {"is": "open" if is_open else "closed"}
    if viewer.is_removed:
        shown["is"] = "removed"
    may = code is None or code in WAITS
    shown |= {"write": may, "name": viewer.pseudonym, "title": room.title}
    if code is not None and not may:
        shown |= {"code": code, "say": words.refusal(explained(room.rules, code))}
    if reason := room.reason if not room.is_open else "" if is_open else "time":
        shown |= _shown_reason(reason, words)
    if is_open:
        shown |= _shown_clock(room, words, at) | _shown_limits(room, viewer, words, at, code)
    shown |= _shown_gate(room, viewer, words, at) | _shown_typed(room, viewer, words)
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
    rules, clock, code = room.rules, room.clock, shut(room.rules, at)
    opens = None if code is None else next_opening(rules, at)
    if code is not None and opens is not None:
        left = max(0, opens - at) // 1000
        return {"clock": {"is": "waiting", "left": left, "text": words[_OPENS[code]]}}
    if not is_timed(rules):
        return {}
    left, starts_by = clock.left(rules, at), clock.starts_by(rules)
    if starts_by is not None and not room.has_begun:
        waits = max(0, starts_by - at) // 1000
        return {"clock": {"is": "waiting", "left": waits, "text": words["clock.waiting"]}}
    if left is None:
        return {}
    shown = {"is": "running", "left": left // 1000, "text": words["clock.left"]}
    if clock.paused:
        shown |= {"is": "paused", "say": words["clock.paused"]}
    elif clock.warned is not None:
        shown["say"] = words.filled("clock.left", time=words.duration(clock.warned))
    return {"clock": shown}


_OPENS = {"not_yet": "clock.opens", "out_of_hours": "clock.hours"}
"""The codes of why nobody can write by the clock on the wall, and the keys of their words."""


# ── what may be sent now, and when ──


def _shown_limits(
    room: RoomState, viewer: Membership, words: Words, at: int, code: str | None
) -> dict[str, Any]:
    """How long a message may be, whose turn it is, and why a message cannot be sent yet."""
    shown: dict[str, Any] = {}
    if room.characters_from or viewer.rules is not None:
        shown["max"] = longest(room, viewer)
    if room.rules.turns is not None and room.has_begun and shut(room.rules, at) is None:
        shown["turn"] = _shown_turn(room, viewer, words, at)
    if code in WAITS:
        shown["hold"] = {"code": code, "say": words[code]}
    if code == "cooldown":
        until = viewer.waits_until(room.rules_of(viewer), at)
        left = {"left": max(0, until - at) // 1000 + 1, "text": words["cooldown.left"]}
        shown["hold"] |= left
    return shown


def _shown_turn(room: RoomState, viewer: Membership, words: Words, at: int) -> dict[str, Any]:
    """Whose turn it is, and how long yet."""
    turn = turn_at(room, at)
    has_it = room.membership(turn.member)
    ends = ends_at(room, turn)
    shown: dict[str, Any] = {"is": "mine" if turn.member == viewer.member else "others"}
    if has_it is None or not room.hears(viewer.member, has_it.member):
        say = words["turn.nobody" if has_it is None else "turn.somebody"]
        return {**shown, "text": say, "say": say}
    key = "turn.mine" if shown["is"] == "mine" else "turn.others"
    say = words[key].replace("{name}", has_it.pseudonym)
    shown |= {"name": has_it.pseudonym, "text": words[key], "say": say}
    if ends is not None:
        left = max(0, ends - at) // 1000
        shown |= {"left": left, "text": words[f"{key}_left"]}
    return shown


def _shown_gate(room: RoomState, viewer: Membership, words: Words, at: int) -> dict[str, Any]:
    """What the viewer has to write yet, and how long to wait, before they can be done."""
    gate = gate_of(room, viewer, at)
    if gate.is_met:
        return {}
    keys, n = ("messages", "both"), gate.messages
    if not n:
        keys, n = ("characters", "characters_time"), gate.characters
    shown: dict[str, Any] = {"gate": words.counted(f"done.{keys[0]}", n)} if n else {}
    if gate.time:
        text = words.counted(f"done.{keys[1]}", n, time="{time}") if n else words["done.seconds"]
        left = {"left": gate.time // 1000 + 1, "runs": bool(room.clock.started)}
        shown["later"] = {**left, "text": text}
    return shown


def _shown_typed(room: RoomState, viewer: Membership, words: Words) -> dict[str, Any]:
    """What is to be sent of how the viewer writes, and what is said if they may not paste."""
    rules, shown = room.rules_of(viewer), dict[str, Any]()
    if (asked := asked_of(rules)) is not None:
        shown["typed"] = asked
    if rules.paste == "refuse":
        shown["no_paste"] = words["pasted"]
    return shown
