"""One transaction of the writer, in which commands are decided in queue order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.commands import Command, Configure, EndStream
from shiny_labchat.domain.decide import decide
from shiny_labchat.domain.events import Event, RoomKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.errors import Refused
from shiny_labchat.store import checkpoints, queries

__all__ = ["Batch", "Head", "Outcome", "Stale"]

_Cid = tuple[str, str]
"""The author of a command, and its id, by which a retry is recognised."""


class Head(NamedTuple):
    """A room as the writer knows it: its number in the database, and its state."""

    number: int
    state: RoomState


class Stale(Exception):
    """Another process has changed a room, so the state that was used is old."""


class Outcome(NamedTuple):
    """The result of a command: its events (of a retry: the old one), and the room's state."""

    events: tuple[Event, ...]
    state: RoomState
    is_repeat: bool = False


class Batch:
    """
    Decides commands inside an open transaction.

    Parameters
    ----------
    conn
        The transaction.
    heads
        The rooms as the writer knows them before; not changed. :attr:`heads` has them after.
    now
        Microseconds since 1970 (UTC).
    is_careful
        Whether to look first for changes by other processes, and for retries of stored commands.
        Both are rare, so the first attempt does not look. If there was one, storing fails, and
        the batch is run again with `is_careful`.
    """

    def __init__(
        self,
        conn: sa.Connection,
        heads: Mapping[RoomKey, Head],
        now: int,
        is_careful: bool = False,
    ) -> None:
        self.heads: dict[RoomKey, Head] = {}
        self.news: dict[RoomKey, list[Event]] = {}
        self._conn = conn
        self._known = heads
        self._now = now
        self._is_careful = is_careful
        self._rows: list[tuple[Any, ...]] = []
        self._streamed: list[tuple[RoomKey, Head, Event]] = []
        self._stored: dict[RoomKey, int] = {}
        self._cids: dict[tuple[RoomKey, _Cid], Event] = {}

    def claim(self, rooms: Iterable[RoomKey]) -> None:
        """Load these rooms; if careful, lock them, and load what other processes did there."""
        found = {key: self._known.get(key) or self._find(key) for key in rooms}
        heads = [(key, head) for key, head in found.items() if head is not None]
        for key, head in sorted(heads, key=_by_number):  # all processes lock in one order
            self.heads[key] = head
            self._stored[key] = head.state.seq
            if self._is_careful:
                self._stored[key] = queries.claim_room(self._conn, head.number)
            if self._stored[key] != head.state.seq:
                self._catch_up(key, head)
            if key not in self._known:  # its followers may not have all of its events
                self.news.setdefault(key, [])

    def catch_up(self, rooms: Iterable[RoomKey]) -> None:
        """Load what other processes did in these rooms, without locking them."""
        for key in rooms:
            known = self._known.get(key)
            found = queries.find_room(self._conn, key)
            if found is None or (known is not None and found[1] == known.state.seq):
                continue
            head = known or self._find(key)
            assert head is not None
            self._catch_up(key, head)

    def _find(self, key: RoomKey) -> Head | None:
        found = queries.find_room(self._conn, key)
        if found is None:
            return None
        number, seq = found
        return Head(number, queries.load_state(self._conn, number, seq))

    def _catch_up(self, key: RoomKey, head: Head) -> Head:
        missed = queries.events_after(self._conn, head.number, head.state.seq)
        return self._advance(key, head, missed)

    def _advance(self, key: RoomKey, head: Head, events: list[Event]) -> Head:
        state = head.state
        for event in events:
            state = fold(state, event)
        self.news.setdefault(key, []).extend(events)
        self.heads[key] = head = Head(head.number, state)
        return head

    def run(self, key: RoomKey, command: Command) -> Outcome:
        """
        Decide one command; its events are stored by `store`.

        Raises
        ------
        Refused
            A rule does not allow it; nothing will be stored of it.
        """
        head = self.heads.get(key)
        if head is None:
            head = self._create(key, command)
        cid = _cid_of(command)
        repeated = self._repeated(key, cid) if cid is not None else None
        if repeated is None and isinstance(command, EndStream):
            repeated = self._true_end(key, command)
        if repeated is not None:
            return Outcome((self._become(key, repeated),), head.state, is_repeat=True)
        try:
            events = decide(head.state, command, self._now)
        except Refused:
            repeated = self._in_log(key, cid) if cid is not None else None
            if repeated is None:
                raise
            # a retry of a command that was allowed when it was first decided
            return Outcome((self._become(key, repeated),), head.state, is_repeat=True)
        self._rows += [queries.row_of(head.number, event) for event in events]
        self._streamed += [(key, head, event) for event in events if _is_of_stream(event)]
        head = self._advance(key, head, events)
        if cid is not None:
            self._cids[key, cid] = events[-1]  # the message; an event may precede it
        return Outcome(tuple(events), head.state)

    def _repeated(self, key: RoomKey, cid: _Cid) -> Event | None:
        known = self._cids.get((key, cid))
        return self._in_log(key, cid) if known is None and self._is_careful else known

    def _true_end(self, key: RoomKey, command: EndStream) -> Event | None:
        """The end by the stream's own server, which an interruption must not follow."""
        if command.how != "interrupted":
            return None
        cid = "", EndStream(command.of, ()).cid
        return self._cids.get((key, cid)) or self._in_log(key, cid)

    def _become(self, key: RoomKey, event: Event) -> Event:
        """The event that settled a held message, if there is one; else the event itself."""
        if event.kind != "submitted":
            return event
        message = HeldMessage.of(event)
        cid = message.member, message.cid
        return self._cids.get((key, cid)) or self._in_log(key, cid) or event

    def _in_log(self, key: RoomKey, cid: _Cid) -> Event | None:
        return queries.find_cid(self._conn, self.heads[key].number, *cid)

    def _create(self, key: RoomKey, command: Command) -> Head:
        if not isinstance(command, Configure):
            raise Refused("no_room", key.id)
        decide(RoomState(), command, self._now)  # a refused command makes no room
        self.heads[key] = head = Head(queries.insert_room(self._conn, key), RoomState())
        self._stored[key] = 0
        return head

    def store(self) -> None:
        """
        Write all decided events and the new heads.

        Raises
        ------
        Stale
            Another process has written to one of the rooms.
        """
        if self._rows:
            queries.insert_events(self._conn, self._rows)
        for key, head, event in self._streamed:  # a stream has a draft from its opening to its end
            if event.kind == "streamed":
                checkpoints.drop(self._conn, key, event.data["of"])
            else:
                checkpoints.begin(self._conn, self._now, head.number, event.seq)
        moves = [
            (head.number, self._stored[key], head.state.seq)
            for key, head in sorted(self.heads.items(), key=_by_number)
            if not self._is_careful or head.state.seq != self._stored[key]
        ]
        if moves and not queries.move_heads(self._conn, moves):
            raise Stale


def _is_of_stream(event: Event) -> bool:
    return event.kind == "streamed" or "live" in event.data


def _by_number(entry: tuple[RoomKey, Head]) -> int:
    return entry[1].number


def _cid_of(command: Command) -> _Cid | None:
    cid = getattr(command, "cid", None)
    return None if cid is None else (getattr(command, "member", None) or "", cid)
