"""Commands about the time of a room's people. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["AdvanceRoom", "Extend", "PassTurn", "PressDone", "Start"]


@dataclass(frozen=True, slots=True)
class Start:
    """Start the time of a room's people, because the app says so."""


@dataclass(frozen=True, slots=True)
class Extend:
    """Move the end of a room's time, by so many microseconds."""

    by: int


@dataclass(frozen=True, slots=True)
class PressDone:
    """Record that a member is done; once they are, nothing changes."""

    member: str


@dataclass(frozen=True, slots=True)
class PassTurn:
    """Make it a member's turn to write (None: nobody's), because the app says so."""

    member: str | None


@dataclass(frozen=True, slots=True)
class AdvanceRoom:
    """
    Do what is due in a room: start its time, let it stand still or run on, warn, close the room.

    It also announces what is so anyway: whether people can write by its hours, and whose turn it
    is.

    Parameters
    ----------
    present
        The ids of those of whom it is known that they are there. None: nobody has looked, and
        what depends on it waits.
    gone
        The ids of those who have been gone for longer than the room's rules allow.
    """

    present: frozenset[str] | None = None
    gone: frozenset[str] = frozenset()
