"""
Where in a database there is something of somebody: the rows to be rewritten when they withdraw.

A reader looks for them beforehand, in all events of the study. The transaction that rewrites them
looks only at what has come since.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from shiny_labchat.domain.commands import STREAM
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.withdrawal import Renaming, runs_of, without_quotes_in
from shiny_labchat.domain.withdrawn_prompts import Said
from shiny_labchat.store.queries import event_of
from shiny_labchat.store.schema import audit, event, room
from shiny_labchat.store.withdrawn_audit import OF_AUDIT, changes_of_entry

__all__ = ["AT_ONCE", "QUOTING", "Found", "Reach", "find", "logs_with_numbers", "look_for"]

AT_ONCE = 400
"""Most rows that one statement asks for by their seqs."""
QUOTING = ("message", "streamed", "submitted", "withheld")
"""The kinds of events that have words of people and bots in a room."""

_FIELDS = (event.c.seq, event.c.at, event.c.kind, event.c.member, event.c.data, event.c.cid)


class Reach(NamedTuple):
    """
    Where there is something of somebody in a study, as of one moment.

    Parameters
    ----------
    heads
        By the number of each log of the study, the seq up to which it was searched.
    rows
        By the number of a log, the seqs of the events.
    prompts
        The keys of the entries of the audit.
    prompts_upto
        The key up to which the audit was searched.
    is_elsewhere
        Whether somebody with this id is in another study.
    """

    heads: Mapping[int, int]
    rows: Mapping[int, Sequence[int]]
    prompts: Sequence[int] = ()
    prompts_upto: int = 0
    is_elsewhere: bool = False


class Found(NamedTuple):
    """
    The events in which there is something of somebody, and what they have said.

    Parameters
    ----------
    keys
        By their numbers, the logs.
    events
        By the number of a log, its events, as they were written, oldest first.
    theirs
        By the number of a log, their own messages.
    said
        By the number of a log, what they have said there.
    bots
        By the number of a log, the bots that went on in their place there.
    """

    keys: Mapping[int, LogKey]
    events: dict[int, list[Event]]
    theirs: Mapping[int, Mapping[int, Event]]
    said: Mapping[int, Said]
    bots: Mapping[int, frozenset[str]]

    def are_of(self, person: str) -> bool:
        """Whether any of the events is of somebody, so that they have not withdrawn meanwhile."""
        return any(each.member == person for some in self.events.values() for each in some)

    @property
    def runs(self) -> frozenset[str]:
        """The runs of characters by which quotations of them are known."""
        return runs_of({text for each in self.said.values() for text in each.texts})


def look_for(conn: sa.Connection, study: str, person: str, *, quotes: bool = False) -> Reach:
    """Where there is something of somebody in a study; reads all of its events."""
    logs = _logs_of(conn, study)
    rows: dict[int, list[int]] = {}
    of_study = event.c.room == room.c.key, room.c.study == study
    where = sa.select(event.c.room, event.c.seq).where(*of_study, _concerns(person))
    for number, seq in conn.execute(where.order_by(event.c.room, event.c.seq)):
        rows.setdefault(number, []).append(seq)
    newest = conn.execute(sa.select(sa.func.max(audit.c.key))).scalar() or 0
    heads = {number: seq for number, (_, seq) in logs.items()}
    elsewhere = sa.select(event.c.seq).where(event.c.member == person, *_elsewhere(study))
    is_elsewhere = conn.execute(elsewhere.limit(1)).first() is not None
    reach = Reach(heads, rows, (), newest, is_elsewhere)
    found = find(conn, study, person, reach)
    runs = found.runs if quotes else frozenset[str]()
    if runs:
        _add_quotations(conn, found, runs, rows)
    return reach._replace(prompts=_entries(conn, found, person, runs))


def _entries(
    conn: sa.Connection, found: Found, person: str, runs: Collection[str]
) -> Sequence[int]:
    """The keys of the entries of the audit in which there is something of somebody."""
    keys: list[int] = []
    renaming = Renaming(person, "")
    for number, said in found.said.items():
        rows = conn.execute(sa.select(*OF_AUDIT).where(audit.c.room == number)).mappings()
        keys += [row["key"] for row in rows if changes_of_entry(dict(row), said, renaming, runs)]
    return keys


def _elsewhere(study: str) -> tuple[sa.ColumnElement[bool], ...]:
    others = sa.select(room.c.key).where(room.c.study != study)
    return (event.c.room.in_(others),)


def _add_quotations(
    conn: sa.Connection, found: Found, runs: Collection[str], rows: dict[int, list[int]]
) -> None:
    for number, key in found.keys.items():
        if key.kind != "room":
            continue
        known = set(rows[number])
        of_room = event.c.room == number, event.c.kind.in_(QUOTING)
        for row in conn.execute(sa.select(*_FIELDS).where(*of_room)):
            each = event_of(row)
            if each.seq not in known and without_quotes_in(each, runs) != each:
                rows[number].append(each.seq)


def find(conn: sa.Connection, study: str, person: str, reach: Reach, quotes: bool = False) -> Found:
    """
    The events in which there is something of somebody, those included that came since the search.

    `quotes`: also all messages that came since, which may quote them.
    """
    logs = _logs_of(conn, study)
    events: dict[int, dict[int, Event]] = {}
    for number, seqs in reach.rows.items():
        events[number] = {each.seq: each for each in _with_seqs(conn, number, seqs)}
    for number, (_, seq) in logs.items():
        searched = reach.heads.get(number, 0)
        if seq > searched:
            since = event.c.room == number, event.c.seq > searched
            also = [event.c.kind.in_(QUOTING)] if quotes else []
            news = sa.select(*_FIELDS).where(*since, sa.or_(_concerns(person), *also))
            for row in conn.execute(news):
                each = event_of(row)
                events.setdefault(number, {})[each.seq] = each
    bots = {number: _bots_for(some.values(), person) for number, some in events.items()}
    for number, some in bots.items():
        events[number] |= {each.seq: each for each in _all_of(conn, number, some)}
    ids = {number: {person, *some} for number, some in bots.items()}
    events = {number: _in_order(some) for number, some in events.items()}
    theirs = {number: _messages_of(some.values(), ids[number]) for number, some in events.items()}
    for number, own in theirs.items():
        ends = {each.seq: each for each in _ends(conn, number, own)}
        events[number] = _in_order({**events[number], **ends})
    said = {n: _said(some.values(), theirs[n], ids[n]) for n, some in events.items()}
    return Found(
        {number: logs[number][0] for number in events if number in logs},
        {number: list(some.values()) for number, some in events.items()},
        *(theirs, said, bots),
    )


def _in_order(events: Mapping[int, Event]) -> dict[int, Event]:
    """Events by their seqs, oldest first, whatever the order of a database's rows."""
    return {seq: events[seq] for seq in sorted(events)}


def _logs_of(conn: sa.Connection, study: str) -> dict[int, tuple[LogKey, int]]:
    """By number, the logs of a study and their heads."""
    found = sa.select(room.c.key, room.c.study, room.c.id, room.c.kind, room.c.seq)
    rows = conn.execute(found.where(room.c.study == study))
    return {number: (LogKey(name, id, kind), seq) for number, name, id, kind, seq in rows}


def logs_with_numbers(conn: sa.Connection, numbers: Iterable[int]) -> list[LogKey]:
    """The logs that have these numbers in the database."""
    found = sa.select(room.c.study, room.c.id, room.c.kind).where(room.c.key.in_(list(numbers)))
    return [LogKey(*row) for row in conn.execute(found.order_by(room.c.key))]


def _concerns(person: str) -> sa.ColumnElement[bool]:
    """Whether an event is of somebody, or may name them; all failures of callbacks are among it."""
    named = orjson.dumps(person).decode()[1:-1]
    return sa.or_(
        event.c.member == person,
        event.c.data.contains(named, autoescape=True),
        event.c.cid.contains(person, autoescape=True),
        event.c.kind == "passed_over",
    )


def _with_seqs(conn: sa.Connection, number: int, seqs: Sequence[int]) -> Iterator[Event]:
    for start in range(0, len(seqs), AT_ONCE):
        some = event.c.room == number, event.c.seq.in_(seqs[start : start + AT_ONCE])
        for row in conn.execute(sa.select(*_FIELDS).where(*some)):
            yield event_of(row)


def _bots_for(events: Iterable[Event], person: str) -> frozenset[str]:
    """The ids of the bots that went on in somebody's place."""
    joined = (each for each in events if each.kind == "joined" and each.member is not None)
    return frozenset(each.member or "" for each in joined if each.data.get("replaces") == person)


def _all_of(conn: sa.Connection, number: int, bots: Collection[str]) -> Iterator[Event]:
    """All events of bots in a room."""
    if not bots:
        return
    of_room = event.c.room == number, event.c.member.in_(bots)
    for row in conn.execute(sa.select(*_FIELDS).where(*of_room)):
        yield event_of(row)


def _messages_of(events: Iterable[Event], ids: Collection[str]) -> dict[int, Event]:
    own = (each for each in events if each.kind == "message" and each.member in ids)
    return {each.seq: each for each in own}


def _ends(conn: sa.Connection, number: int, own: Mapping[int, Event]) -> Iterator[Event]:
    """The ends of somebody's streams."""
    streams = [seq for seq, each in own.items() if "live" in each.data]
    for start in range(0, len(streams), AT_ONCE // 2):
        some = streams[start : start + AT_ONCE // 2]
        cids = [f"{STREAM}{seq}{mark}" for seq in some for mark in ("", "?")]
        of_room = event.c.room == number, event.c.author == "", event.c.cid.in_(cids)
        for row in conn.execute(sa.select(*_FIELDS).where(*of_room)):
            yield event_of(row)


def _said(events: Iterable[Event], own: Mapping[int, Event], ids: Collection[str]) -> Said:
    return Said.of(_settled(events, own, ids))


def _settled(
    events: Iterable[Event], own: Mapping[int, Event], ids: Collection[str]
) -> Iterator[Event]:
    for each in events:
        if each.member in ids and each.kind in QUOTING:
            yield each
        elif each.kind == "streamed" and each.data.get("of") in own:
            data: dict[str, Any] = {"name": own[each.data["of"]].data.get("name"), **each.data}
            yield each._replace(data=data)
