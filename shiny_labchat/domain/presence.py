"""
Whether somebody is here, idle, away or gone. Pure.

Pages are asked again and again whether they are alive. What all pages of a person have answered
comes down to three times, the newest of each kind; so it does not matter which page, or which
process, has heard what, nor in which order.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from shiny_labchat.domain.rules import Rules

__all__ = [
    "ALIVE",
    "PRESENCES",
    "STEADY",
    "Look",
    "Presence",
    "Signs",
    "all_signs",
    "is_steady",
    "look",
    "seems",
]

ALIVE = 10.0
"""Pages are asked twice in this time, and what they answer is stored three times, in seconds."""
STEADY = 5_000_000
"""How long somebody must look otherwise than before until it counts, in microseconds."""

Presence = Literal["here", "idle", "away", "gone"]
PRESENCES: tuple[Presence, ...] = ("here", "idle", "away", "gone")


class Signs(NamedTuple):
    """
    What is known of the pages of a person, as times in microseconds; 0: never.

    Parameters
    ----------
    heard
        When one of them last answered.
    visible
        When one of them was last not hidden.
    active
        When there was last a key, a pointer or a message in one of them.
    """

    heard: int = 0
    visible: int = 0
    active: int = 0

    def moved(self, by: int) -> Signs:
        """The same by another clock, or as times before now; what has never been stays so."""
        return Signs(*(at and (at + by or -1) for at in self))


def all_signs(some: Iterable[Signs]) -> Signs:
    """What is known of a person, from what is known to several."""
    return Signs(*map(max, zip(Signs(), *some, strict=True)))


def seems(signs: Signs, rules: Rules, at: int, asked_since: int = 0) -> Presence:
    """
    What a person looks like at a time.

    Parameters
    ----------
    signs
        What is known of their pages.
    rules
        The rules of the room.
    at
        The time, in microseconds.
    asked_since
        Since when pages have been asked: nobody is gone because there was no server.

    Returns
    -------
    Presence
        Idle and away are judged at the time of the last answer: nothing is known after it.
    """
    if at - max(signs.heard, asked_since) >= rules.gone_after * 1e6:
        return "gone"
    if signs.heard - signs.visible >= rules.away_after * 1e6:
        return "away"
    if signs.heard - signs.active >= rules.idle_after * 1e6:
        return "idle"
    return "here"


class Look(NamedTuple):
    """What a person looks like, and since when, in microseconds."""

    presence: Presence
    since: int


def look(before: Look | None, presence: Presence, at: int) -> Look:
    """What a person looks like now, after what they looked like before."""
    if before is not None and before.presence == presence:
        return before
    return Look(presence, at)


def is_steady(looks: Look, at: int) -> bool:
    """Whether a person has looked like this for long enough for it to count."""
    return at - looks.since >= STEADY
