"""How much each member of a room has said. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType

from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.state import RoomState

__all__ = ["NO_PLACES", "places_in", "shares_of", "speakers_in"]

NO_PLACES: Mapping[str, str] = MappingProxyType({})


def shares_of(
    messages: Iterable[Message],
    members: Collection[str],
    places: Mapping[str, str] = NO_PLACES,
) -> dict[str, float]:
    """
    The share of each member of all characters that they have written together, from 0 to 1.

    Parameters
    ----------
    messages
        Those that count; what others than the members have written does not.
    members
        The ids of the members.
    places
        By those who have left, who has their place, and what they wrote, see `places_in`.

    Returns
    -------
    dict
        By member, in their order; 0 for everybody if nobody has written.
    """
    said = dict.fromkeys(members, 0)
    for message in messages:
        member = places.get(message.member or "", message.member)
        if member in said:
            said[member] += len(message.content)
    every = sum(said.values())
    return {member: number / every if every else 0.0 for member, number in said.items()}


def speakers_in(state: RoomState) -> list[str]:
    """The ids of the members who are shown as participants; a bot that is shown as one, too."""
    return [each.member for each in state.members() if each.role_for(None) == "participant"]


def places_in(state: RoomState) -> dict[str, str]:
    """
    By the ids of those in whose places bots go on, the ids of these bots.

    For all others it is one person, whose share of what was written stays the same.
    """
    return {each.replaces: each.member for each in state.bots() if each.replaces is not None}
