"""How much each member of a room has said. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.state import RoomState

__all__ = ["shares_of", "speakers_in"]


def shares_of(messages: Iterable[Message], members: Collection[str]) -> dict[str, float]:
    """
    The share of each member of all characters that they have written together, from 0 to 1.

    Parameters
    ----------
    messages
        Those that count; what others than the members have written does not.
    members
        The ids of the members.

    Returns
    -------
    dict
        By member, in their order; 0 for everybody if nobody has written.
    """
    said = dict.fromkeys(members, 0)
    for message in messages:
        if message.member in said:
            said[message.member] += len(message.content)
    every = sum(said.values())
    return {member: number / every if every else 0.0 for member, number in said.items()}


def speakers_in(state: RoomState) -> list[str]:
    """The ids of the members who are shown as participants; a bot that is shown as one, too."""
    return [each.member for each in state.members() if each.role_for(None) == "participant"]
