"""The rooms as the writer knows them: their heads."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, LogKey, LogKind
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.logs import State, fold_any_all
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.domain.withdrawal import changes_states
from shiny_labchat.store import queries

__all__ = ["Head", "Heads", "caught_up", "load_head"]

HEADS_SIZE = 64_000_000
"""About how many bytes the heads may take; those used longest ago are read again when needed."""
ROOM_SIZE = 2_000
MEMBER_SIZE = 600
PERSON_SIZE = 3_000
"""About how many bytes a head takes, each member or place of it, and each person of a study."""


class Head(NamedTuple):
    """A log as the writer knows it: its number in the database, and its state."""

    number: int
    state: State


def load_head(conn: sa.Connection, key: LogKey, *, in_haste: bool = False) -> Head | None:
    """
    The head of a log as the database has it now; None: there is no such log.

    `in_haste`: see `load_state`.
    """
    found = queries.find_room(conn, key)
    if found is None:
        return None
    return Head(found[0], queries.load_log(conn, *found, key.kind, in_haste=in_haste))


def caught_up(conn: sa.Connection, kind: LogKind, head: Head) -> tuple[Head, list[Event]]:
    """
    A head with the events that others have stored since, and these.

    If one of them has changed states, the state is read anew, and not made of the old one.
    """
    events = queries.events_after(conn, head.number, head.state.seq)
    if any(map(changes_states, events)):
        state = queries.load_log(conn, head.number, events[-1].seq, kind)
    else:
        state = fold_any_all(head.state, events)
    return Head(head.number, state), events


class Heads:
    """
    The heads of the rooms that were used last.

    Parameters
    ----------
    limit
        About how many bytes they may take; the one that was used last is kept in any case.

    Attributes
    ----------
    size
        About how many bytes they take.
    """

    def __init__(self, limit: int = HEADS_SIZE) -> None:
        self.size = 0
        self._limit = limit
        self._heads: OrderedDict[LogKey, Head] = OrderedDict()

    def get(self, key: LogKey) -> Head | None:
        """The head of a room; None: it is not kept."""
        return self._heads.get(key)

    def keep(self, key: LogKey, head: Head) -> None:
        """Keep a head, and forget those that were used longest ago if all take too much."""
        known = self._heads.get(key)
        self.size += _size_of(head) - (0 if known is None else _size_of(known))
        self._heads[key] = head
        self._heads.move_to_end(key)
        while self.size > self._limit and len(self._heads) > 1:
            self.size -= _size_of(self._heads.popitem(last=False)[1])

    def clear(self) -> None:
        """Forget all."""
        self._heads.clear()
        self.size = 0

    def are_of(self, conn: sa.Connection) -> bool:
        """
        Whether the database is the one that these heads are of, and not an older copy of it.

        It is if it has the head that was kept last.
        """
        if not self._heads:
            return False
        key, head = next(reversed(self._heads.items()))
        found = queries.find_room(conn, key)
        if found is None or found[0] != head.number or found[1] < head.state.seq:
            return False
        first = queries.event_at(conn, head.number, 1)
        return first is not None and first.data.get("seed") == head.state.seed


def _size_of(head: Head) -> int:
    match head.state:
        case RoomState(memberships=members):
            return ROOM_SIZE + MEMBER_SIZE * members.size
        case StudyState(people=people):
            return ROOM_SIZE + PERSON_SIZE * people.size
        case LobbyState(places=places):
            return ROOM_SIZE + MEMBER_SIZE * places.size
