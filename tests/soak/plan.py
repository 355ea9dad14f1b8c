"""What happens in a soak."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.store.tokens import LIFETIMES

__all__ = ["SHORTER", "Plan"]

SHORTER = "SOAK_SHORTER"
"""The environment variable of the server that has `Plan.shorter`."""


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How long a soak is, and what happens in it.

    Parameters
    ----------
    minutes, rooms, visits
        Its length, how many rooms are visited in turn, and how many visits there are.
    streams
        How many streams run at any time, each in a room of its own.
    reader
        Whether somebody reads the database all the time.
    shorter
        How many times shorter the server's times to live are: of tokens that live for hours or
        days, and of rooms that nobody has open.
    """

    minutes: float
    rooms: int
    visits: int
    streams: int
    reader: bool
    shorter: float

    @property
    def life(self) -> float:
        """How long a resume token lives, in seconds."""
        life = LIFETIMES["resume"]
        assert life is not None
        return life / self.shorter
