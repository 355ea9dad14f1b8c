"""Hearing what other processes have stored, through a reader's connection: no lock is taken."""

from __future__ import annotations

from collections.abc import Collection, Container, Mapping
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.logs import fold_any_all
from shiny_labchat.domain.withdrawal import changes_the_past
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.engine import EVER, Moved
from shiny_labchat.store.heads import Head, Heads, caught_up
from shiny_labchat.store.queries import events_beyond, find_room
from shiny_labchat.store.work import Committed

__all__ = ["Heard", "Hearing"]


_HEARS = "labchat hears"


class Heard(NamedTuple):
    """
    What others have stored.

    Parameters
    ----------
    news, unknown
        New events of wanted rooms, and those of these rooms whose heads are not known.
    are_others
        Whether others have stored events, in any room.
    is_moved
        Whether anything may have been stored since the last time, by whomever.
    are_left
        Whether there is more to hear of, which `hear` will give.
    """

    news: list[Committed]
    unknown: list[LogKey]
    are_others: bool = False
    is_moved: bool = False
    are_left: bool = False


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
        self._state: object = None
        self._again: set[LogKey] = set()

    def open(self, conn: sa.Connection) -> None:
        """
        Begin again with a database that was opened again; what is known of it is kept.

        All rooms are looked at: a PostgreSQL server that has crashed numbers transactions again as
        it has numbered some before, so that a room that has moved may not seem to.
        """
        self._since = EVER
        if not self._heads.are_of(conn):
            self._heads.clear()

    def are_behind(self, conn: sa.Connection, rooms: Collection[LogKey]) -> bool:
        """Whether others may have stored something in these rooms since the last time."""
        return self._since == EVER or any(
            room.key in rooms and (head := self._heads.get(room.key)) and head.state.seq != room.seq
            for room in engine_of(conn).rooms_moved(conn, self._since)[0]
        )

    def hear_again(self, room: LogKey) -> None:
        """Look at a room the next time, though it may not have moved since the last time."""
        self._again.add(room)

    def hear(self, conn: sa.Connection, wanted: Container[LogKey]) -> Heard:
        """
        What has been stored in the wanted rooms since the last time.

        Over a connection that is new to it, all rooms are looked at, as in `open`: the server may
        have been gone since the last time, without anybody having noticed.
        """
        if conn.info.get(_HEARS) is not self:
            conn.info[_HEARS], self._since = self, EVER
        moved, until = engine_of(conn).rooms_moved(conn, self._since)
        before, self._state = self._state, engine_of(conn).state_of(conn)
        is_moved = until != self._since or self._state != before
        self._again -= {room.key for room in moved}
        moved += [room for key in self._again if (room := _moved(conn, key)) is not None]
        self._again.clear()
        heads = [(room, self._heads.get(room.key)) for room in moved]
        are_others = any(head is None or head.state.seq != room.seq for room, head in heads)
        heard = Heard([], [], are_others, is_moved)
        found: list[tuple[LogKey, Head]] = []
        for room, head in heads:
            if room.key not in wanted:
                continue
            if head is None:
                heard.unknown.append(room.key)
            elif head.state.seq != room.seq:
                moved_to, events = caught_up(conn, room.key.kind, head)
                heard.news.append(Committed(room.key, tuple(events), moved_to.state))
                found.append((room.key, moved_to))
        for key, head in found:  # if the database fails before the last one, none was heard of
            self._heads.keep(key, head)
        self._since = until
        return heard

    def hear_of(self, conn: sa.Connection, rooms: Mapping[LogKey, int]) -> Heard:
        """
        What has been stored in some rooms, up to these seqs at least; `conn` is in no transaction.

        It is one statement. What needs more, as they would have to agree, is left to `hear`.
        """
        heads = {key: self._heads.get(key) for key in rooms}
        heard = Heard([], [key for key, head in heads.items() if head is None])
        behind = {
            head.number: (key, head)
            for key, head in heads.items()
            if head is not None and head.state.seq < rooms[key]
        }
        found = events_beyond(conn, {n: head.state.seq for n, (_, head) in behind.items()})
        for number, (key, head) in behind.items():
            events = found[number]
            if any(map(_needs_more, events)):
                self.hear_again(key)
                heard = heard._replace(are_left=True)
            elif events:
                moved_to = Head(number, fold_any_all(head.state, events))
                heard.news.append(Committed(key, tuple(events), moved_to.state))
                self._heads.keep(key, moved_to)
        return heard


def _needs_more(event: Event) -> bool:
    """Whether other rows have to be read with it: of a stream its end, or what it has changed."""
    return "live" in event.data or changes_the_past(event)


def _moved(conn: sa.Connection, key: LogKey) -> Moved | None:
    found = find_room(conn, key)
    return None if found is None else Moved(found[0], key, found[1])
