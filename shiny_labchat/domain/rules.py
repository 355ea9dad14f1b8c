"""The settings of a room that limit what members may do."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.arguments import check_choice, check_count, check_number

__all__ = ["CLOCK_SLACK", "LEAST_GONE_AFTER", "Rules"]

CLOCK_SLACK = 10_000_000
"""Largest difference between the clocks of a lab's servers, in microseconds."""
LEAST_GONE_AFTER = 10
"""Shortest time after which somebody may count as gone, in seconds: pages are asked twice in it."""


@dataclass(frozen=True, slots=True)
class Rules:
    """
    Limits on what members may do in a room.

    Parameters
    ----------
    max_length
        Longest message, in characters (Unicode code points).
    rate
        Messages per second that one member may send in the long run; None: no limit.
    burst
        Messages that one member may send at once before `rate` counts (the depth of the
        token bucket).
    max_composing
        Bots that may compose a message at the same time; others wait for their turn.
    idle_after
        After so many seconds without a key, a pointer or a message somebody counts as idle.
    away_after
        After so many seconds in which all of their pages were hidden they count as away.
    gone_after
        After so many seconds in which no page of theirs has answered they count as gone; at
        least 10.
    log_presence
        Whether the log has who is here, idle, away or gone even if no `Room.on_presence` function
        of this process asks for it.
    """

    max_length: int = 5_000
    rate: float | None = 2.0
    burst: int = 10
    max_composing: int = 1
    idle_after: float = 60
    away_after: float = 120
    gone_after: float = 30
    log_presence: bool = False

    def __post_init__(self) -> None:
        check_count("max_length", self.max_length, 1)
        check_number("rate", self.rate, above=0, or_none=True)
        check_count("burst", self.burst, 1)
        check_count("max_composing", self.max_composing, 1)
        check_number("idle_after", self.idle_after, above=0)
        check_number("away_after", self.away_after, above=0)
        check_number("gone_after", self.gone_after, least=LEAST_GONE_AFTER)
        check_choice("log_presence", self.log_presence, (True, False))
