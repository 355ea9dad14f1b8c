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
    """

    def __init__(self, conn: sa.Connection, heads: Mapping[RoomKey, Head], now: int) -> None:
        self.heads: dict[RoomKey, Head] = {}
        self.news: dict[RoomKey, list[Event]] = {}
        self._conn = conn
        self._known = heads
        self._now = now
        self._rows: list[dict[str, Any]] = []
        self._cids: dict[tuple[RoomKey, str, str], Event] = {}

    def claim(self, commands: list[tuple[RoomKey, Command]]) -> None:
        """Lock the rooms (in one order in all processes) and see what others did in them."""
        wanted: dict[RoomKey, set[tuple[str, str]]] = {}
        for key, command in commands:
            cids = wanted.setdefault(key, set())
            if (cid := _cid_of(command)) is not None:
                cids.add(cid)
        for key in sorted(wanted):
            self._claim_room(key, wanted[key])

    def _claim_room(self, key: RoomKey, cids: set[tuple[str, str]]) -> None:
        head = self._known.get(key) or self._find(key)
        if head is None:
            return
        seq = _tables.claim_room(self._conn, head.number)
        if seq != head.state.seq:
            head = self._catch_up(key, head)
        self.heads[key] = head
        if key not in self._known:  # who follows the room may not have heard of all of it
            self.news.setdefault(key, [])
        if cids:
            for (author, cid), event in _tables.known_cids(self._conn, head.number, cids).items():
                self._cids[key, author, cid] = event

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
        if cid is not None and (known := self._cids.get((key, *cid))) is not None:
            return Outcome((known,), head.state, is_repeat=True)
        events = decide(head.state, command, self._now)
        rows = [_tables.row_of(head.number, event) for event in events]
        self._rows += rows
        head = self._advance(key, head, events)
        if cid is not None:
            self._cids[(key, *cid)] = events[0]
        return Outcome(tuple(events), head.state)

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


def _cid_of(command: Command) -> tuple[str, str] | None:
    cid = getattr(command, "cid", None)
    return None if cid is None else (getattr(command, "member", None) or "", cid)
