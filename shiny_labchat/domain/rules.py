"""The settings of a room that limit what members may do."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.arguments import check_count, check_number

__all__ = ["CLOCK_SLACK", "Rules"]

CLOCK_SLACK = 10_000_000
"""Largest difference between the clocks of a lab's servers, in microseconds."""


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
    """

    max_length: int = 5_000
    rate: float | None = 2.0
    burst: int = 10
    max_composing: int = 1

    def __post_init__(self) -> None:
        check_count("max_length", self.max_length, 1)
        check_number("rate", self.rate, above=0, or_none=True)
        check_count("burst", self.burst, 1)
        check_count("max_composing", self.max_composing, 1)
