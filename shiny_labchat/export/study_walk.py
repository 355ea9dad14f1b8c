"""Everything that an export has of the log of a study or a lobby, beside what was read before."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from shiny_labchat.domain.ended import in_units
from shiny_labchat.domain.ends import end_of
from shiny_labchat.domain.events import Event
from shiny_labchat.export.answers import Answer, Answers
from shiny_labchat.export.conditions import round_of
from shiny_labchat.export.disguise import Disguise
from shiny_labchat.export.event_rows import EventRows
from shiny_labchat.export.facts import StudyFacts
from shiny_labchat.export.source import Source, event_of
from shiny_labchat.export.tables import Rows
from shiny_labchat.store.exporting import EventRow, LogHead

__all__ = ["end_pay", "walk_lobby", "walk_study"]


def walk_lobby(source: Source, head: LogHead, disguise: Disguise, events: EventRows) -> None:
    """Give the events of a lobby."""
    for rows in source.pages(head):
        _give(rows, disguise, events)


def _give(rows: Sequence[EventRow], disguise: Disguise, events: EventRows) -> None:
    if disguise.is_none:
        events.plain(rows)
        return
    for event in map(event_of, rows):
        events.disguised(*event[:4], event.data, event.cid, event.member)


class _StudyWalk:
    def __init__(
        self,
        facts: StudyFacts,
        disguise: Disguise,
        payments: Rows,
        answers: Answers,
        people: set[str],
    ) -> None:
        self._people = people
        self._facts = facts
        self._disguise = disguise
        self._payments = payments
        self._answers = answers
        self._room: dict[str, tuple[str, Any]] = {}

    def take(self, event: Event) -> None:
        match event.kind:
            case "grouped":
                now = event.data["room"], event.data.get("condition")
                self._room |= dict.fromkeys(event.data["people"], now)
            case "recorded":
                self._answer(event)
            case "paid":
                self._pay(event, "bonus", event.data["key"], event.data["cents"])
            case "paid_out":
                self._pay(event, "paid_out", event.data["key"], event.data["cents"])
            case "ended":
                self._end(event)
            case _:
                pass

    def _answer(self, event: Event) -> None:
        data, member = event.data, event.member
        room, condition = self._room.get(member or "", (None, None))
        room = data.get("room", room)
        shown = self._disguise.shows_words(member)
        if shown and member is not None:
            self._people.add(member)
        self._answers.add(
            Answer(
                *(self._facts.name, "study", self._facts.name),
                None if room is None else self._disguise.name(room),
                *round_of(None if room is None else self._facts.state.groups.get(room)),
                *(member, self._disguise.member(member), self._disguise.value(condition)),
                *(self._disguise.value(data["kind"]), event.seq, event.at),
                data.get("about") or {},
                self._disguise.record(data["value"]) if shown else None,
            )
        )

    def _pay(self, event: Event, kind: str, key: str, cents: int) -> None:
        member, currency = self._disguise.member(event.member), self._facts.currency
        shown = self._facts.name, member, kind, self._disguise.value(key)
        self._payments.add((*shown, cents, in_units(cents), currency, event.at))

    def _end(self, event: Event) -> None:
        reason: str = event.data["reason"]
        data = _end_data(self._facts, reason)
        cents = None if data is None else end_of(data).cents
        if cents is not None:
            self._pay(event, "end", reason, cents)


def walk_study(
    source: Source, head: LogHead, facts: StudyFacts, disguise: Disguise, *,
    events: EventRows | None, payments: Rows, answers: Answers, people: set[str],
    only: Collection[str] | None,
) -> None:  # fmt: skip
    """
    Give what a study's log has.

    Parameters
    ----------
    source, head, facts
        The database, the log, and what is known of the study.
    disguise
        What is shown of people.
    events, payments, answers
        What takes the rows; `events` None: they are not wanted.
    people
        Is given the ids of those of whose records the export has words.
    only
        The ids of those whose records and payments are wanted; None: all.
    """
    walk = _StudyWalk(facts, disguise, payments, answers, people)
    for rows in source.pages(head):
        if events is not None:
            _give(rows, disguise, events)
        for event in map(event_of, rows):
            if only is None or event.member is None or event.member in only:
                walk.take(event)


def end_pay(facts: StudyFacts, reason: str) -> str | None:
    """What the study says is paid at an end: a word, or an amount in the currency."""
    data = _end_data(facts, reason)
    if data is None:
        return None
    pay = data["pay"]
    return in_units(pay) if isinstance(pay, int) else pay


def _end_data(facts: StudyFacts, reason: str) -> Mapping[str, Any] | None:
    ends: Mapping[str, Mapping[str, Any]] = facts.state.settings.get("ends") or {}
    return ends.get(reason)
