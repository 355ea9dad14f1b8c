"""Commands about the presence of members. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.presence import Presence

__all__ = ["AskPresence", "ConfirmPresence", "EndQuestion", "NotePresence"]


@dataclass(frozen=True, slots=True)
class NotePresence:
    """Record that a member is here, idle, away or gone; nothing changes if they were before."""

    member: str
    presence: Presence


@dataclass(frozen=True, slots=True)
class AskPresence:
    """Ask a member whether they are still there, within so many microseconds; bots always are."""

    member: str
    within: int


@dataclass(frozen=True, slots=True)
class ConfirmPresence:
    """Record that a member has answered the question of seq `of`, if it is still open."""

    member: str
    of: int


@dataclass(frozen=True, slots=True)
class EndQuestion:
    """Record that a member has not answered the question of seq `of` in time, if it is so."""

    member: str
    of: int
