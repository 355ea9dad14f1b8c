"""One transaction of the writer, in which commands are decided in queue order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple, cast

import sqlalchemy as sa

from shiny_labchat.domain.commands import (
    Advance,
    Command,
    Configure,
    EndStream,
    PassOver,
    Ready,
    Retract,
    StudyCommand,
    Withdraw,
)
from shiny_labchat.domain.decide import MoreLogs, decide, decide_together
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.lobby import LobbyState
from shiny_labchat.domain.logs import State, empty_state, fold_any
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import StudyState
from shiny_labchat.errors import Refused
from shiny_labchat.store import checkpoints, queries
from shiny_labchat.store.arrivals import keep_hash_only
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.heads import Head, Heads, caught_up, load_head
from shiny_labchat.store.leases import lease_time
from shiny_labchat.store.reach import Reach, find
from shiny_labchat.store.retraction import mark, with_rows
from shiny_labchat.store.seen import lobby_signs
from shiny_labchat.store.withdrawing import forget_params, rewrite, with_found

__all__ = ["Batch", "Outcome", "Stale", "StudyOutcome"]

_Cid = tuple[str, str]
"""The author of a command, and its id, by which a retry is recognised."""


class Stale(Exception):
    """Another process has changed a log, so the state that was used is old."""


_OF_MESSAGES = ("message", "submitted", "withheld")
"""The kinds of events that a message becomes."""


class Outcome(NamedTuple):
    """The result of a command: its events (of a retry: the old one), and the room's state."""

    events: tuple[Event, ...]
    state: RoomState
    is_repeat: bool = False

    @property
    def of_message(self) -> Event:
        """The event that a message has become; others may come before it, and after it."""
        last = self.events[-1]
        if last.kind in _OF_MESSAGES:
            return last
        return next(event for event in self.events if event.kind in _OF_MESSAGES)


class StudyOutcome(NamedTuple):
    """
    The result of a command to several logs.

    Its events by log (of a retry: the old one of the first log), and the states of all its logs.
    """

    events: Mapping[LogKey, tuple[Event, ...]]
    states: Mapping[LogKey, State]
    is_repeat: bool = False


class Batch:
    """
    Decides commands inside an open transaction.

    Parameters
    ----------
    conn
        The transaction.
    heads
        The logs as the writer knows them before; not changed. :attr:`heads` has them after.
    is_careful
        Whether to look first for changes by other processes, and for retries of stored commands.
        Both are rare, so the first attempt does not look. If there was one, storing fails, and
        the batch is run again with `is_careful`.
    open_for
        For how long this process has had the database open, in microseconds.
    """

    def __init__(
        self,
        conn: sa.Connection,
        heads: Heads,
        is_careful: bool = False,
        open_for: int = 0,
    ) -> None:
        self.heads: dict[LogKey, Head] = {}
        self.news: dict[LogKey, list[Event]] = {}
        self.gone: tuple[str, str] | None = None
        self._conn = conn
        self._known = heads
        self._now = 0
        self._claims = is_careful or engine_of(conn).CLAIMS_ALWAYS
        self._is_careful = is_careful
        self._open_for = open_for
        self._rows: list[tuple[Any, ...]] = []
        self._streamed: list[tuple[LogKey, Head, Event]] = []
        self._stored: dict[LogKey, int] = {}
        self._cids: dict[tuple[LogKey, _Cid], Event] = {}

    def begin(self, logs: Iterable[LogKey], *, keeps_books: bool, rewrites: bool) -> int:
        """
        Load these logs, and what other processes did there; this locks them.

        Where a transaction of the writer keeps all others out, it is not looked for unless careful.

        Parameters
        ----------
        logs
            The logs.
        keeps_books, rewrites
            See `Transactions.begin`.

        Returns
        -------
        int
            The time at which all is decided, in microseconds since 1970 (UTC).
        """
        found = {key: self._known.get(key) or self._load(key) for key in logs}
        heads = {key: head for key, head in found.items() if head is not None}
        numbers = [head.number for head in heads.values()] if self._claims else ()
        stored, self._now = engine_of(self._conn).begin(
            self._conn, numbers, keeps_books=keeps_books, rewrites=rewrites
        )
        for key, head in heads.items():
            self.heads[key] = head
            self._stored[key] = stored.get(head.number, head.state.seq)
            if self._stored[key] != head.state.seq:
                self._catch_up(key, head)
            if self._known.get(key) is None:  # its followers may not have all of its events
                self.news.setdefault(key, [])
        return self._now

    def _load(self, key: LogKey) -> Head | None:
        return load_head(self._conn, key, in_haste=True)  # all that is to be stored waits for this

    def _catch_up(self, key: LogKey, head: Head) -> Head:
        return self._advance(key, *caught_up(self._conn, key.kind, head))

    def _advance(self, key: LogKey, head: Head, events: list[Event]) -> Head:
        self.news.setdefault(key, []).extend(events)
        self.heads[key] = head
        return head

    def run(self, key: LogKey, command: Command) -> Outcome:
        """
        Decide one command to a room; its events are stored by `store`.

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
            return Outcome((self._become(key, repeated),), _room(head), is_repeat=True)
        if isinstance(command, PassOver):
            command = self._without_error_if_withdrawn(head.number, command)
        elif isinstance(command, Retract):
            command = with_rows(self._conn, head.number, command)
        try:
            events = decide(_room(head), command, self._now)
        except Refused:
            repeated = self._in_log(key, cid) if cid is not None else None
            if repeated is None:
                raise
            # a retry of a command that was allowed when it was first decided
            return Outcome((self._become(key, repeated),), _room(head), is_repeat=True)
        rows = self._rows_of(head.number, events)
        self._streamed += [(key, head, event) for event in events if _is_of_stream(event)]
        if isinstance(command, Retract) and events:
            mark(self._conn, head.number, events[-1])
        head = self._append(key, head, events, rows)
        if cid is not None and events:
            self._cids[key, cid] = _own(events)
        return Outcome(tuple(events), _room(head))

    def _without_error_if_withdrawn(self, number: int, command: PassOver) -> PassOver:
        """The command; an error at a message that is blank by now may quote it."""
        message = queries.event_at(self._conn, number, command.of)
        if message is None or not message.data.get("withdrawn"):
            return command
        return replace(command, error="")

    def _rows_of(self, number: int, events: list[Event]) -> list[tuple[Any, ...]]:
        return [queries.row_of(number, event) for event in events]

    def _append(
        self, key: LogKey, head: Head, events: list[Event], rows: list[tuple[Any, ...]]
    ) -> Head:
        self._rows += rows
        state = head.state
        for event in events:
            state = fold_any(state, event)
        return self._advance(key, Head(head.number, state), events)

    def run_together(self, command: StudyCommand) -> StudyOutcome:
        """
        Decide one command to several logs, all or nothing; its events are stored by `store`.

        Raises
        ------
        Refused
            A rule does not allow it; nothing will be stored of it.
        MoreLogs
            The rule needs the states of further logs.
        """
        first, cid = command.logs[0], _cid_of(command)
        repeated = self._repeated(first, cid) if cid is not None else None
        if repeated is not None:
            return self._repeat_of(command, repeated)
        try:
            states = self._states(command)
            decided = decide_together(states, self._with_signs(command, states), self._now)
        except Refused:
            repeated = self._in_log(first, cid) if cid is not None else None
            if repeated is None:
                raise
            return self._repeat_of(command, repeated)
        # Events that cannot be stored are found before any log is made, and before any is changed.
        rows = {key: self._rows_of(0, events) for key, events in decided.items()}
        heads = {key: self.heads.get(key) or self._insert(key) for key in decided}
        for key, events in decided.items():
            numbered = [(heads[key].number, *row[1:]) for row in rows[key]]
            self._append(key, heads[key], events, numbered)
            self._forget_who_refused(key, events)
        if cid is not None and decided:
            self._cids[first, cid] = _own(decided[first])
        made = {key: tuple(events) for key, events in decided.items()}
        return StudyOutcome(made, self._states(command))

    def withdraw(self, command: Withdraw, reach: Reach) -> StudyOutcome:
        """
        Decide the withdrawal of somebody, and rewrite all rows in which there is something of them.

        It must be alone in its transaction, and careful.

        Raises
        ------
        Refused
            The rule does not allow it.
        MoreLogs
            There is something of them in further logs.
        """
        found = find(self._conn, command.study, command.person, reach, command.quotes)
        if not found.are_of(command.person):
            return StudyOutcome({}, self._states(command), is_repeat=True)  # another was first
        more = [key for key in found.keys.values() if key not in command.logs]
        if more:
            raise MoreLogs(*more)
        before = {key: head.state.seq for key, head in self.heads.items()}
        told = with_found(self._conn, command, found)
        decided = decide_together(self._states(command), told, self._now)
        for key, events in decided.items():
            number = self.heads[key].number
            queries.insert_events(self._conn, self._rows_of(number, events))
            found.events.setdefault(number, []).extend(events)
        rewrite(self._conn, command, reach, found, self._now)
        for key, events in decided.items():
            number = self.heads[key].number
            state = queries.load_log(self._conn, number, events[-1].seq, key.kind)
            self.heads[key] = Head(number, state)
            self.news[key] = queries.events_after(self._conn, number, before[key])
            if isinstance(state, StudyState):
                forget_params(self._conn, command.study, state, self._now)
        self.gone = command.study, command.person
        made = {key: tuple(self.news[key]) for key in decided}
        return StudyOutcome(made, self._states(command))

    def _with_signs(self, command: StudyCommand, states: Mapping[LogKey, State]) -> StudyCommand:
        """A command with what is known of the people in its lobby now, if it needs that."""
        if not isinstance(command, Advance | Ready) or command.signs is not None:
            return command
        lobby = cast(LobbyState, states[command.logs[0]])
        everyone = isinstance(command, Advance) and command.everyone
        study = cast(StudyState, states[command.logs[1]])
        also = [each.person for each in study.present()] if everyone else ()
        found = lobby_signs(self._conn, command.study, lobby, self._now, self._open_for, also)
        return replace(command, signs=found)

    def _forget_who_refused(self, key: LogKey, events: list[Event]) -> None:
        """
        Delete what the recruiter said of those who have refused consent.

        So is what was said of those who have withdrawn, once they are paid.
        """
        for event in events if key.kind == "study" else ():
            if event.kind == "ended" and event.data["reason"] == "no_consent":
                assert event.member is not None
                keep_hash_only(self._conn, key.study, event.member)
            elif event.kind == "paid_out":
                state = cast(StudyState, self.heads[key].state)
                if state.people[event.member or ""].withdrawn is not None:
                    forget_params(self._conn, key.study, state, self._now)

    def _repeat_of(self, command: StudyCommand, event: Event) -> StudyOutcome:
        return StudyOutcome({command.logs[0]: (event,)}, self._states(command), is_repeat=True)

    def _states(self, command: StudyCommand) -> dict[LogKey, State]:
        heads = ((key, self.heads.get(key)) for key in command.logs)
        return {key: head.state if head else empty_state(key.kind) for key, head in heads}

    def _repeated(self, key: LogKey, cid: _Cid) -> Event | None:
        known = self._cids.get((key, cid))
        return self._in_log(key, cid) if known is None and self._is_careful else known

    def _true_end(self, key: LogKey, command: EndStream) -> Event | None:
        """The end by the stream's own server, which an interruption must not follow."""
        if command.how != "interrupted":
            return None
        cid = "", EndStream(command.of, ()).cid
        return self._cids.get((key, cid)) or self._in_log(key, cid)

    def _become(self, key: LogKey, event: Event) -> Event:
        """The event that settled a held message, if there is one; else the event itself."""
        if event.kind != "submitted":
            return event
        message = HeldMessage.of(event)
        cid = message.member, message.cid
        return self._cids.get((key, cid)) or self._in_log(key, cid) or event

    def _in_log(self, key: LogKey, cid: _Cid) -> Event | None:
        head = self.heads.get(key)
        return None if head is None else queries.find_cid(self._conn, head.number, *cid)

    def _create(self, key: LogKey, command: Command) -> Head:
        if not isinstance(command, Configure):
            raise Refused("no_room", key.id)
        decide(RoomState(), command, self._now)  # a refused command makes no room
        return self._insert(key)

    def _insert(self, key: LogKey) -> Head:
        number = queries.insert_room(self._conn, key)
        self.heads[key] = head = Head(number, empty_state(key.kind))
        self._stored[key] = 0
        return head

    def store(self) -> None:
        """
        Write all decided events and the new heads.

        Raises
        ------
        Stale
            Another process has written to one of the logs.
        """
        moves = [
            (head.number, self._stored[key], head.state.seq)
            for key, head in sorted(self.heads.items(), key=_by_number)
            if not self._claims or head.state.seq != self._stored[key]
        ]
        if (moves or self._rows) and not queries.append_events(self._conn, self._rows, moves):
            raise Stale
        for key, head, event in self._streamed:  # a stream has a draft from its opening to its end
            if event.kind == "streamed":
                checkpoints.drop(self._conn, key, event.data["of"])
            else:
                checkpoints.begin(self._conn, lease_time(self._conn), head.number, event.seq)


def _is_of_stream(event: Event) -> bool:
    return event.kind == "streamed" or "live" in event.data


def _by_number(entry: tuple[LogKey, Head]) -> int:
    return entry[1].number


def _room(head: Head) -> RoomState:
    return cast(RoomState, head.state)


def _cid_of(command: Command | StudyCommand) -> _Cid | None:
    cid = getattr(command, "cid", None)
    return None if cid is None else (getattr(command, "member", None) or "", cid)


def _own(events: Sequence[Event]) -> Event:
    """The event that has the command's id; others may come before it, and after it."""
    last = events[-1]
    return last if last.cid is not None else next((e for e in events if e.cid is not None), last)
