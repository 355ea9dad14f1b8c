"""The command that retracts a message. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.commands.streams import EndStream
from shiny_labchat.domain.events import Event

__all__ = ["Retract"]


@dataclass(frozen=True, slots=True)
class Retract:
    """
    Retract a message: nobody is shown it any more; the log keeps it.

    It is alone in its transaction, in which the writer looks for the last three.
    """

    of: int
    """The message's seq."""
    reason: str | None = None
    """Why, for the log only."""
    ending: EndStream | None = None
    """The end of its stream, if its server has not ended that; with all that is stored of it."""
    upto: int = 0
    """The key of the last checkpoint that `ending` has; 0: there is none."""
    message: Event | None = None
    """The message as its row has it; None: there is none with this seq."""
    end: Event | None = None
    """The end of its stream by its own server; None: there is none, or it is no stream."""
    newest: int = 0
    """The key of the last checkpoint of its stream."""
