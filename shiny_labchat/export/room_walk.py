"""Everything that an export has of one room, made in one pass through its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.counts import length_of
from shiny_labchat.domain.ended import condition_text
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import is_timed
from shiny_labchat.domain.state import RoomState, fold
from shiny_labchat.export.answers import Answer, Answers
from shiny_labchat.export.conditions import levels_of, round_of
from shiny_labchat.export.disguise import Disguise
from shiny_labchat.export.event_rows import EventRows
from shiny_labchat.export.facts import StudyFacts, change_of
from shiny_labchat.export.messages import MessageRows
from shiny_labchat.export.presence import Connection
from shiny_labchat.export.source import Source, loads
from shiny_labchat.export.tables import Rows
from shiny_labchat.store.exporting import (
    EventRow,
    LogHead,
    became_between,
    opening_of,
    stream_ends,
)

__all__ = ["RoomFacts", "RoomWalk"]

_LIVE = '"live":true'
"""In the JSON of the opening of a stream, and in no text: quotes in texts are escaped."""
_NOT_FOLDED = frozenset({"composed", "passed_over", "revoked", "submitted", "withheld"})
"""Events of which no table but that of events has anything."""
LARGE = 500_000
"""Pages with more characters are written at once, not gathered."""


@dataclass(slots=True)
class RoomFacts:
    """
    What is known of a room once its log was read; times are in microseconds since 1970 (UTC).

    Parameters
    ----------
    state
        Its state, but for messages.
    opened, is_group
        When its people could use it first (None: never), and whether they are a group.
    group
        The data of the event that they were grouped; empty: they were not.
    started, last
        When the time of its people has started, and when its last event was.
    closed
        When it was closed last; None: it is open.
    joined, shown_first, left, done, gate
        By member, when they came, when they were removed, were done, and had sent enough.
    connections
        By member, how long they were there, where that is logged.
    presences
        While the room is closed, by member, the presence with which they go on once it is open.
    changes
        The changes of its settings.
    """

    state: RoomState
    opened: int | None
    is_group: bool
    group: Mapping[str, Any]
    joined: dict[str, int]
    left: dict[str, int]
    done: dict[str, int]
    gate: dict[str, int]
    connections: dict[str, Connection]
    changes: list[dict[str, Any]]
    presences: dict[str, str] = field(default_factory=dict[str, str])
    started: int | None = None
    closed: int | None = None
    last: int = 0

    @property
    def condition(self) -> Any:
        """The condition of its group."""
        return self.group.get("condition")

    @property
    def has_begun(self) -> bool:
        """Whether the time of its people has begun: they were shown it, if it has no start."""
        if is_timed(self.state.rules):
            return self.started is not None
        return self.opened is not None


class RoomWalk:
    """
    One pass through the log of a room.

    Parameters
    ----------
    source, head
        The database, and the room.
    study
        Its study.
    disguise
        What is shown of people.
    since
        Rows before it are left out, in microseconds since 1970 (UTC).
    messages, events, answers
        What takes the rows.
    factors
        The factors of all conditions.
    has_calls
        Whether the audit has anything of the room.
    people
        Is given the ids of the people whose words the rows have.
    changes
        What takes the rows of what has become of earlier messages; None: nobody asks.

    Attributes
    ----------
    facts
        What is known of the room.
    made
        Its messages' rows, and what members have said.
    """

    def __init__(
        self, source: Source, head: LogHead, study: StudyFacts, disguise: Disguise, *,
        since: int, messages: Rows, events: EventRows, answers: Answers, factors: Sequence[str],
        has_calls: bool, people: set[str], changes: Rows | None,
    ) -> None:  # fmt: skip
        opening = source.read(lambda conn: opening_of(conn, head.number, head.seq))
        group = study.state.groups.get(head.key.id)
        condition = None if group is None else disguise.value(group.condition)
        self._source, self._head, self._study = source, head, study
        self._disguise, self._since = disguise, since
        self._messages, self._events, self._answers = messages, events, answers
        self._has_calls = has_calls
        room = disguise.name(head.key.id)
        labels = (*round_of(group), condition_text(condition), *levels_of(condition, factors))
        shown = head.key.study, room, labels, opening.at
        self.made = MessageRows(*shown, disguise, since, people)
        self._people, self._changes = people, changes
        self.facts = RoomFacts(
            RoomState(), opening.at, opening.is_group, {}, {}, {}, {}, {}, {}, []
        )
        self._authors: dict[int, str | None] = {}
        self._sent: dict[str, tuple[int, int]] = {}
        self._withdrawn: set[int] = set()
        self._retracted: set[int] = set()
        self._draft()

    def _draft(self) -> None:
        """Have folding change the state's maps in place, as `fold_all` does."""
        state = self.facts.state
        drafts = {"memberships": state.memberships.draft(), "told": state.told.draft()}
        self._keep(state._replace(**drafts))

    def _keep(self, state: RoomState) -> None:
        self.facts.state = self.made.state = state

    def run(self) -> None:
        """Read the log, and give all rows."""
        for rows in self._source.pages(self._head):
            self._page(rows)
            if sum(len(row[4]) for row in rows) > LARGE:
                self._messages.flush()
                self._events.flush()
            self.facts.last = rows[-1][1]
        if self.facts.closed is None:
            for member in self.facts.connections:
                _end_connection(self.facts, member, self.facts.last)
        state = self.facts.state
        memberships, told = cast(Any, state.memberships).done(), cast(Any, state.told).done()
        self._keep(state._replace(memberships=memberships, told=told))

    def _page(self, rows: Sequence[EventRow]) -> None:
        number, upto = self._head.number, self._head.seq
        live = [row[0] for row in rows if row[2] == "message" and _LIVE in row[4]]
        ends: dict[int, Any] = {}
        if live:
            ends = self._source.read(lambda conn: stream_ends(conn, number, live, upto))
        calls: dict[int, Any] = {}
        if self._has_calls:
            first, last = rows[0][0], rows[-1][0]
            calls = self._source.read(lambda conn: became_between(conn, number, first, last))
        is_plain = self._disguise.is_none
        made: list[tuple[Any, ...]] = []
        message, counts_from = self.made.message, self.facts.state.counts_from
        for seq, at, kind, member, data, cid in rows:
            if kind == "message":
                said = loads(kind, data)
                row = message(seq, at, member, said, cid, ends, calls)
                if row is not None:
                    made.append(row)
                if counts_from and "page" in said:
                    self._count(member, at, said)
                if row is None and at < self._since:
                    self._note_earlier(seq, said)
                if not is_plain:
                    self._note_author(seq, member, said)
                    self._events.disguised(seq, at, kind, member, said, cid, member)
            else:
                self._other(Event(seq, at, kind, member, loads(kind, data), cid))
                counts_from = self.facts.state.counts_from
        self._messages.extend(made)
        if is_plain:
            self._events.plain(rows)

    # ── what is no message ──

    def _other(self, event: Event) -> None:
        author, data = event.member, event.data
        match event.kind:
            case "streamed":
                self.made.streamed(event.seq, event.at, data["of"])
                author = self._authors.get(data["of"])
            case "recorded":
                self._answer(event)
            case "retracted":
                self._retract(event)
            case "withdrawn":
                self._withdraw(event)
            case kind if kind not in _NOT_FOLDED:
                self._fold(event)
            case _:
                pass
        if not self._disguise.is_none:
            self._events.disguised(*event[:4], data, event.cid, author)

    def _note_author(self, seq: int, member: str | None, data: Mapping[str, Any]) -> None:
        """Note who writes a stream: the event that ends it, with all words, does not say."""
        if "live" in data and not self._disguise.shows_words(member):
            self._authors[seq] = member

    def _fold(self, event: Event) -> None:
        before = self.facts.state
        if event.kind == "done" and event.member in before.done:
            return
        self._keep(fold(before, event))
        note = _NOTES.get(event.kind)
        if note is not None:
            note(self.facts, event)
        if event.kind == "grouped":
            self.made.parts = event.data.get("parts", {})
        if event.kind in ("joined", "changed", "disclosed", "grouped"):
            self.made.forget_authors()

    def _count(self, member: str | None, at: int, said: Mapping[str, Any]) -> None:
        """Count a message of those that people must send before they may be done."""
        state = self.facts.state
        known = None if member is None else state.memberships.get(member)
        if member is None or known is None:
            return
        before = self._sent.get(member, (0, 0))
        sent, characters = before[0] + 1, before[1] + length_of(said)
        self._sent[member] = sent, characters
        rules = state.rules_of(known)
        if not (rules.min_messages or rules.min_characters):
            return
        if sent >= rules.min_messages and characters >= rules.min_characters:
            earliest = state.clock.begun(state.rules) + round(rules.min_seconds * SECOND)
            self.facts.gate.setdefault(member, max(at, earliest))

    def _withdraw(self, event: Event) -> None:
        """Say of rows that an earlier export may have that their words are to be deleted."""
        if self._changes is None or event.at < self._since:
            return
        study, room = self._head.key.study, self._disguise.name(self._head.key.id)
        member = self._disguise.member(event.member)
        for seq in sorted(self._withdrawn.intersection(event.data.get("messages", ()))):
            row = study, room, seq, f"{study}:{room}:{seq}", member, "withdrawn", event.at
            self._changes.add(row)

    def _retract(self, event: Event) -> None:
        """Say of a row that an earlier export may have that nobody is shown the message now."""
        of = event.data["of"]
        if self._changes is None or event.at < self._since or of not in self._retracted:
            return
        study, room = self._head.key.study, self._disguise.name(self._head.key.id)
        member = self._disguise.member(event.member)
        row = study, room, of, f"{study}:{room}:{of}", member, "retracted", event.at
        self._changes.add(row)

    def _note_earlier(self, seq: int, said: Mapping[str, Any]) -> None:
        """Note what has become of a message that an earlier export may have."""
        if "withdrawn" in said:
            self._withdrawn.add(seq)
        if "retracted" in said:
            self._retracted.add(seq)

    def _answer(self, event: Event) -> None:
        key, member, data = self._head.key, event.member, event.data
        group = self._study.state.groups.get(key.id)
        shown = self._disguise.shows_words(member)
        if shown and member is not None:
            self._people.add(member)
        self._answers.add(
            Answer(
                *(key.study, "room", key.id, self._disguise.name(key.id), *round_of(group)),
                *(member, self._disguise.member(member)),
                self._disguise.value(self.facts.condition),
                *(self._disguise.value(data["kind"]), event.seq, event.at, {}),
                self._disguise.record(data["value"]) if shown else None,
            )
        )


# ── notes of single events ───────────────────────────────────────────────────────────────────


def _note_joined(facts: RoomFacts, event: Event) -> None:
    assert event.member is not None
    facts.joined.setdefault(event.member, event.at)
    facts.left.pop(event.member, None)


def _note_left(facts: RoomFacts, event: Event) -> None:
    assert event.member is not None
    facts.left[event.member] = event.at
    facts.presences.pop(event.member, None)
    _end_connection(facts, event.member, event.at)


def _note_done(facts: RoomFacts, event: Event) -> None:
    assert event.member is not None
    facts.done.setdefault(event.member, event.at)


def _note_grouped(facts: RoomFacts, event: Event) -> None:
    facts.group = event.data


def _note_started(facts: RoomFacts, event: Event) -> None:
    facts.started = facts.started or event.at


def _note_closed(facts: RoomFacts, event: Event) -> None:
    facts.closed = event.at
    for member, known in facts.connections.items():
        if known.state != "gone":
            facts.presences[member] = known.state
        _end_connection(facts, member, event.at)


def _note_opened(facts: RoomFacts, event: Event) -> None:
    facts.closed = None
    for member, state in facts.presences.items():
        known = facts.connections.setdefault(member, Connection(state, event.at))
        known.state, known.since = state, event.at
    facts.presences.clear()


def _note_configured(facts: RoomFacts, event: Event) -> None:
    facts.changes.append(change_of(event))


def _note_presence(facts: RoomFacts, event: Event) -> None:
    assert event.member is not None
    state: str = event.data["state"]
    known = facts.connections.get(event.member)
    if facts.closed is not None:
        facts.presences[event.member] = state
        return
    if known is None:
        facts.connections[event.member] = Connection(state, event.at)
    else:
        known.change(state, event.at)


def _end_connection(facts: RoomFacts, member: str, at: int) -> None:
    """Count the time so far; more is counted from the next change, or the next opening, on."""
    known = facts.connections.get(member)
    if known is not None:
        known.change(known.state, at)
        known.state = "gone"


_NOTES = {
    "closed": _note_closed,
    "configured": _note_configured,
    "done": _note_done,
    "grouped": _note_grouped,
    "joined": _note_joined,
    "opened": _note_opened,
    "presence": _note_presence,
    "removed": _note_left,
    "started": _note_started,
}
