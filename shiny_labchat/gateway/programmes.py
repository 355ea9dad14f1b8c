"""The programmes that people have met and took for people, as their debrief names them."""

from __future__ import annotations

from collections.abc import Iterable

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store import Log, find_room, load_state

__all__ = ["programmes_in", "programmes_met"]


async def programmes_met(log: Log, rooms: Iterable[LogKey]) -> list[str]:
    """
    The pseudonyms of programmes in some rooms that were shown as people, in their order.

    Raises
    ------
    StoreError
        The rooms could not be read.
    """

    def read(conn: sa.Connection) -> list[str]:
        found = [find_room(conn, room) for room in rooms]
        states = [load_state(conn, *each) for each in found if each is not None]
        return list(dict.fromkeys(name for state in states for name in programmes_in(state)))

    return await log.read(read)


def programmes_in(room: RoomState) -> list[str]:
    """The pseudonyms of the members of a room that are programmes, and are shown as people."""
    return [
        each.pseudonym
        for each in room.memberships.values()
        if each.role == "assistant" and each.role_for(None) != "assistant"
    ]
