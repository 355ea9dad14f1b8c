"""The settings of a room in the app's code."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import Role

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """
    The settings of a room in the app's code; None leaves the room's own.

    Parameters
    ----------
    title
        The title shown above the room.
    rules
        The rules of the room.
    write
        The roles that may write.
    """

    title: str | None = None
    rules: Rules | None = None
    write: tuple[Role, ...] | None = None
