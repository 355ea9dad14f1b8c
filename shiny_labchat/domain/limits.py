"""
What a member may write at a moment, and what they must have written to go on. Pure.

`RoomState.silence` says who may write in a room at all; this says when, and how much.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.rules import Rules, shut
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.turns import turn_at
from shiny_labchat.errors import Refused

__all__ = [
    "WAITS",
    "Gate",
    "changes_by_own",
    "check_amount",
    "explained",
    "gate_of",
    "longest",
    "may_type",
    "silence_at",
]

WAITS = ("cooldown", "not_your_turn")
"""The codes of why a member cannot send a message yet, but may write it."""


def silence_at(state: RoomState, membership: Membership, at: int) -> str | None:
    """The code of why a member may not write at a time (microseconds); None: they may."""
    code = state.silence(membership)
    if code is not None or not state.is_limited:
        return code
    if state.is_over(at):
        return "closed"
    if (code := shut(state.rules, at)) is not None:
        return code
    if not membership.takes_turns:
        return None
    rules = state.rules_of(membership)
    if membership.has_sent_all(rules):
        return "too_many"
    if state.rules.turns is not None and turn_at(state, at).member != membership.member:
        return "not_your_turn"
    return "cooldown" if membership.waits_until(rules, at) else None


def may_type(state: RoomState, membership: Membership, at: int) -> bool:
    """Whether others are shown that a member is typing."""
    is_shown = state.rules.typing or not membership.takes_turns
    return is_shown and silence_at(state, membership, at) is None


def check_amount(state: RoomState, membership: Membership, text: str) -> None:
    """Refuse a text of a member with which they would have sent more characters than they may."""
    if not state.characters_from or not membership.takes_turns:
        return
    left = membership.characters_left(state.rules_of(membership))
    if left is not None and len(text) > left:
        raise Refused("too_much", detail="too_much.detail", values={"n": left})


def longest(state: RoomState, membership: Membership) -> int:
    """The longest message that a member may send now, in characters."""
    rules = state.rules_of(membership)
    left = membership.characters_left(rules) if membership.takes_turns else None
    return rules.max_length if left is None else min(left, rules.max_length)


def changes_by_own(state: RoomState, membership: Membership) -> bool:
    """Whether each message of a member changes what they are shown of the room's state."""
    if not state.counts_from:
        return False
    rules = state.rules_of(membership)
    if rules.max_messages or rules.max_characters or rules.cooldown:
        return True
    return membership.said < rules.min_messages or membership.characters < rules.min_characters


def explained(rules: Rules, code: str) -> Refused:
    """The refusal of a message for a reason that `silence_at` gives, with what rules say of it."""
    if code != "out_of_hours" or rules.hours is None:
        return Refused(code)
    values: dict[str, Any] = dict(zip(("opens", "closes", "zone"), rules.hours, strict=True))
    return Refused(code, detail="out_of_hours.detail", values=values)


class Gate(NamedTuple):
    """
    What somebody has to do yet before they can say that they are done.

    Parameters
    ----------
    messages, characters
        How many messages they have to send, and how many characters in all of them.
    time
        How long they have to wait, in microseconds.
    """

    messages: int = 0
    characters: int = 0
    time: int = 0

    @property
    def is_met(self) -> bool:
        """Whether there is nothing left."""
        return self == _MET


_MET = Gate()


def gate_of(state: RoomState, membership: Membership, at: int) -> Gate:
    """What a member has to do yet at a time (microseconds); it has begun."""
    rules = state.rules_of(membership)
    if not (rules.min_messages or rules.min_characters or rules.min_seconds):
        return _MET
    wait = round(rules.min_seconds * SECOND)
    begun = state.clock.begun(state.rules)
    time = max(0, begun + wait - at) if begun else wait
    if membership.has_sent_all(rules):
        return Gate(time=time)
    messages = max(0, rules.min_messages - membership.said)
    return Gate(messages, max(0, rules.min_characters - membership.characters), time)
