"""
The rules: ``decide(state, command, at)`` returns events, or raises `Refused`.

The one writer calls it inside its transaction, in queue order, with a state that *includes all
earlier decisions*, so no check is ever stale. No rule is checked anywhere else. Pure: the random
parts of a command (a handle, a room's seed) are given in the command. Each family of commands has
a file here, with a table of its rules.
"""

from __future__ import annotations

from shiny_labchat.domain.commands import Command
from shiny_labchat.domain.decide import members, messages, room, streams
from shiny_labchat.domain.decide.shared import Rule, check_text
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState

__all__ = ["check_text", "decide"]


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


_RULES: dict[type, Rule] = members.RULES | messages.RULES | streams.RULES | room.RULES
