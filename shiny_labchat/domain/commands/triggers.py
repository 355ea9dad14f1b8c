"""The command that sets off what is to be done at a moment. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.triggers import Moment

__all__ = ["TRIGGER", "Trigger"]

TRIGGER = "trigger:"
"""Prefix of the ids of commands that set off triggers; see `STREAM`."""


@dataclass(frozen=True, slots=True)
class Trigger:
    """
    Have a callback called once, because a moment has come or the app asks; only in the log.

    Parameters
    ----------
    callback
        The callback's name.
    name
        What the trigger is called; of one callback each name is once in a room.
    moment
        The moment that must have come; None: now.
    instruction
        What a bot's model is told for its message; None: nothing.
    number
        Distinguishes triggers of one name; None: it is once in a room.
    """

    callback: str
    name: str
    moment: Moment | None = None
    instruction: str | None = None
    number: str | None = None

    @property
    def cid(self) -> str:
        """The id by which it is set off only once."""
        which = self.name if self.number is None else f"{self.name} {self.number}"
        return f"{TRIGGER}{self.callback}:{which}"
