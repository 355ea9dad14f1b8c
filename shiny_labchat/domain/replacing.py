"""Programs that go on in the place of people who have gone: as whom, and since when. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection
from hashlib import blake2b
from statistics import NormalDist

from shiny_labchat.domain.clock import SECOND

__all__ = ["LEAST_AWAY", "PLACES", "SPREAD", "away_for", "ids_of_places", "next_place"]

PLACES = 8
"""The most people of a group whose places one bot takes: each costs a look at every message."""
SPREAD = 0.75
"""
Standard deviation of the logarithm of the time for which a place stays empty; our choice.

The median is half of the `grace` of the room's rules: whoever has been away for long stays away for
long. Two of three times are within a factor of about two of it.
"""
LEAST_AWAY = 1.0
"""Shortest time for which a place stays empty, in seconds."""


def ids_of_places(bot: str, largest: int) -> list[str]:
    """
    The member ids that a bot may have in a group's room in the places of others.

    Parameters
    ----------
    bot
        Its name.
    largest
        How many people a group has at most; one of them is never replaced. As the bot may be a
        member of the room from the beginning, there is an id more than there are places.
    """
    places = min(PLACES, max(1, largest - 1))
    return [bot, *(f"{bot}:{number}" for number in range(2, places + 2))]


def next_place(bot: str, largest: int, taken: Collection[str]) -> str | None:
    """The member id that a bot has in the next place that it takes; None: it takes no more."""
    free = (id for id in ids_of_places(bot, largest) if id not in taken)
    return next(free, None)


def away_for(grace: float, random: str) -> int:
    """
    For how long the place of somebody stays empty from when a bot takes it, in microseconds.

    It is drawn, log-normally: a time that is always the same would say who is a program.

    Parameters
    ----------
    grace
        How long somebody must be gone until a bot takes their place, in seconds.
    random
        Random text, other for each draw.
    """
    number = int.from_bytes(blake2b(random.encode(), digest_size=8).digest())
    quantile = NormalDist().inv_cdf((number + 0.5) / 2**64)
    return round(max(LEAST_AWAY, grace / 2 * math.exp(SPREAD * quantile)) * SECOND)
