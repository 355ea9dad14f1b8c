"""Hearing what other processes have stored, through a reader's connection: no lock is taken."""

from __future__ import annotations

from collections.abc import Collection, Container
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.heads import Heads, caught_up
from shiny_labchat.store.sqlite import EVER, last_moved, rooms_moved
from shiny_labchat.store.work import Committed

__all__ = ["Heard", "Hearing"]


class Heard(NamedTuple):
    """New events, and the rooms that have some and whose heads are not known."""

    news: list[Committed]
    unknown: list[LogKey]


class Hearing:
    """
    Finds the rooms in which other processes have stored events.

    Parameters
    ----------
    heads
        The rooms as this process knows them; brought up to date.
    """

    def __init__(self, heads: Heads) -> None:
        self._heads = heads
        self._since = EVER

    def open(self, conn: sa.Connection) -> None:
        """Begin again with a database that was opened again; what is known of it is kept."""
        if self._heads.are_of(conn):
            self._since = min(self._since, last_moved(conn))
        else:
            self._heads.clear()
            self._since = EVER

    def are_behind(self, conn: sa.Connection, rooms: Collection[LogKey]) -> bool:
        """Whether others may have stored something in these rooms since the last time."""
        return self._since == EVER or any(
            room.key in rooms and (head := self._heads.get(room.key)) and head.state.seq != room.seq
            for room in rooms_moved(conn, self._since)[0]
        )

    def hear(self, conn: sa.Connection, wanted: Container[LogKey]) -> Heard:
        """What has been stored in the wanted rooms since the last time."""
        moved, until = rooms_moved(conn, self._since)
        heard = Heard([], [])
        for room in moved:
            if room.key not in wanted:
                continue
            head = self._heads.get(room.key)
            if head is None:
                heard.unknown.append(room.key)
            elif head.state.seq != room.seq:
                moved_to, events = caught_up(conn, room.key.kind, head)
                heard.news.append(Committed(room.key, tuple(events), moved_to.state))
                self._heads.keep(room.key, moved_to)
        self._since = until
        return heard
