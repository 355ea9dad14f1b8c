"""The programmes that people have met and took for people, as their debrief names them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store import Log, find_room, load_state

__all__ = ["Programmes", "programmes_in", "programmes_met"]


class Programmes(NamedTuple):
    """
    The pseudonyms of members that are programmes and are shown as people.

    Parameters
    ----------
    own
        Of those that had their places from the beginning.
    replaced
        Of the people in whose places others went on.
    """

    own: tuple[str, ...] = ()
    replaced: tuple[str, ...] = ()


async def programmes_met(log: Log, rooms: Iterable[LogKey], person: str) -> Programmes:
    """
    The programmes that somebody has met in some rooms, each name once, in their order.

    Raises
    ------
    StoreError
        The rooms could not be read.
    """

    def read(conn: sa.Connection) -> list[Programmes]:
        found = [find_room(conn, room) for room in rooms]
        states = [load_state(conn, *each) for each in found if each is not None]
        return [programmes_in(state, person) for state in states]

    each_room = await log.read(read)
    both = zip(*each_room, strict=True) if each_room else ((), ())
    own, replaced = (
        tuple(dict.fromkeys(name for some in names for name in some)) for names in both
    )
    return Programmes(own, replaced)


def programmes_in(room: RoomState, person: str | None = None) -> Programmes:
    """The programmes of a room that are shown as people, but for one in a person's own place."""
    shown = [
        each
        for each in room.memberships.values()
        if each.role == "assistant" and each.role_for(None) != "assistant"
    ]
    return Programmes(
        tuple(each.pseudonym for each in shown if each.replaces is None),
        tuple(each.pseudonym for each in shown if each.replaces not in (None, person)),
    )
