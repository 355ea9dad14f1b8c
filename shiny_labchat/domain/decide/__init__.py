"""
The rules: ``decide(state, command, at) → events``, or a `Refused` raised.

The one writer runs this inside its transaction, in queue order, on the state *including what was
decided just before*, so that no check is ever stale. No rule is checked anywhere else. Pure: the
random parts of a command (a handle, a room's seed) come in with it. Each family of commands has a
file here, with a table of its rules.
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
    What `command` makes happen in a room.

    Parameters
    ----------
    state
        The room, all that was decided before included.
    command
        What is wanted.
    at
        The time, in microseconds since 1970 (UTC).

    Returns
    -------
    list of Event
        To be appended, numbered from ``state.seq + 1``. Empty: there is nothing to change.

    Raises
    ------
    Refused
        A rule says no.
    """
    return _RULES[type(command)](state, command, at)


_RULES: dict[type, Rule] = members.RULES | messages.RULES | streams.RULES | room.RULES
