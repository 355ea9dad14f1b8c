"""What the code says of a room."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import Role

__all__ = ["Settings"]


@dataclass(frozen=True, slots=True)
class Settings:
    """
    What the code says of a room; None leaves what the room has.

    Parameters
    ----------
    title
        What is shown above it.
    rules
        What is allowed in it.
    write
        The roles that may write.
    """

    title: str | None = None
    rules: Rules | None = None
    write: tuple[Role, ...] | None = None
