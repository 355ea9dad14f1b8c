"""One transaction of the writer: commands decided in queue order on the rooms they concern."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shiny_labchat._decide import Command, Configure, decide
from shiny_labchat._domain import Event, RoomKey, RoomState, fold
from shiny_labchat.errors import Refused
from shiny_labchat.store import _tables

__all__ = ["Batch", "Head", "Outcome"]

_Cid = tuple[str, str]
"""Who repeats, and what."""


@dataclass(frozen=True, slots=True)
class Head:
    """A room as the writer knows it: its number in the database, and its state."""

    number: int
    state: RoomState


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command came to: its events (repeated: the old one), and the state."""

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
        What the writer knew before; not changed, see :attr:`heads` for what it knows after.
    now
        Microseconds since 1970 (UTC).
    is_careful
        Whether to look for repeated commands in the log first. They are rare, so one usually
        learns of them when the log's unique index refuses the batch, which is then run again.
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
        self._rows: list[dict[str, Any]] = []
        self._cids: dict[tuple[RoomKey, _Cid], Event] = {}

    def claim(self, rooms: Iterable[RoomKey]) -> None:
        """Lock the rooms (in one order in all processes) and see what others did in them."""
        for key in sorted(set(rooms)):
            head = self._known.get(key) or self._find(key)
            if head is None:
                continue
            seq = _tables.claim_room(self._conn, head.number)
            if seq != head.state.seq:
                head = self._catch_up(key, head)
            self.heads[key] = head
            if key not in self._known:  # who follows the room may not have heard of all of it
                self.news.setdefault(key, [])

    def catch_up(self, rooms: Iterable[RoomKey]) -> None:
        """See what others did in rooms, without locking them."""
        for key in rooms:
            known = self._known.get(key)
            found = _tables.find_room(self._conn, key)
            if found is None or (known is not None and found[1] == known.state.seq):
                continue
            head = known or self._find(key)
            assert head is not None
            self._catch_up(key, head)

    def _find(self, key: RoomKey) -> Head | None:
        found = _tables.find_room(self._conn, key)
        if found is None:
            return None
        number, seq = found
        return Head(number, _tables.load_state(self._conn, number, seq))

    def _catch_up(self, key: RoomKey, head: Head) -> Head:
        missed = _tables.events_after(self._conn, head.number, head.state.seq)
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
        Decide one command and keep its events to be stored.

        Raises
        ------
        Refused
            By a rule; nothing of it is kept.
        """
        head = self.heads.get(key)
        if head is None:
            head = self._create(key, command)
        cid = _cid_of(command)
        repeated = self._repeated(key, cid) if cid is not None else None
        if repeated is not None:
            return Outcome((repeated,), head.state, is_repeat=True)
        try:
            events = decide(head.state, command, self._now)
        except Refused:
            repeated = self._stored(key, cid) if cid is not None else None
            if repeated is None:
                raise
            return Outcome((repeated,), head.state, is_repeat=True)  # it was allowed then
        self._rows += [_tables.row_of(head.number, event) for event in events]
        head = self._advance(key, head, events)
        if cid is not None:
            self._cids[key, cid] = events[0]
        return Outcome(tuple(events), head.state)

    def _repeated(self, key: RoomKey, cid: _Cid) -> Event | None:
        known = self._cids.get((key, cid))
        return self._stored(key, cid) if known is None and self._is_careful else known

    def _stored(self, key: RoomKey, cid: _Cid) -> Event | None:
        return _tables.find_cid(self._conn, self.heads[key].number, *cid)

    def _create(self, key: RoomKey, command: Command) -> Head:
        if not isinstance(command, Configure):
            raise Refused("no_room", key.id)
        decide(RoomState(), command, self._now)  # who is refused makes no room
        self.heads[key] = head = Head(_tables.insert_room(self._conn, key), RoomState())
        return head

    def store(self) -> None:
        """Write all that was decided."""
        if self._rows:
            _tables.insert_events(self._conn, self._rows)
        for key in self.news:
            head = self.heads[key]
            _tables.set_head(self._conn, head.number, head.state.seq)


def _cid_of(command: Command) -> _Cid | None:
    cid = getattr(command, "cid", None)
    return None if cid is None else (getattr(command, "member", None) or "", cid)
