"""The rules for commands to one room. Pure."""

from __future__ import annotations

from shiny_labchat.domain.commands import Command
from shiny_labchat.domain.decide import (
    clock,
    members,
    messages,
    presence,
    retraction,
    room,
    streams,
    triggers,
    turns,
)
from shiny_labchat.domain.decide.shared import Rule
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState

__all__ = ["decide"]


def decide(state: RoomState, command: Command, at: int) -> list[Event]:
    """
    The events that a command causes in a room.

    Parameters
    ----------
    state
        The room's state, all earlier decisions included.
    command
        The command to decide.
    at
        The time, in microseconds since 1970 (UTC).

    Returns
    -------
    list of Event
        To be appended; their seqs start at ``state.seq + 1``. Empty: nothing changes.

    Raises
    ------
    Refused
        A rule does not allow it.
    """
    return _RULES[type(command)](state, command, at)


_RULES: dict[type, Rule] = {
    **clock.RULES,
    **members.RULES,
    **messages.RULES,
    **presence.RULES,
    **retraction.RULES,
    **room.RULES,
    **streams.RULES,
    **triggers.RULES,
    **turns.RULES,
}
