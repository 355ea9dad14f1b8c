"""Writing an export: all of its tables in one pass through the logs, study by study."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import orjson

from shiny_labchat.export.answers import Answers
from shiny_labchat.export.call_rows import CallRows
from shiny_labchat.export.codebook import CODEBOOK_TABLE, codebook_rows
from shiny_labchat.export.columns import columns_of
from shiny_labchat.export.csv_format import CsvSink
from shiny_labchat.export.disguise import Disguise
from shiny_labchat.export.event_rows import EventRows
from shiny_labchat.export.facts import StudyFacts, scan_study
from shiny_labchat.export.folder import MARKER, SUMS, sums_of
from shiny_labchat.export.format import About, Destination, Format, Table
from shiny_labchat.export.formats import FORMATS, PSYCH_DS
from shiny_labchat.export.order import Order, shares_in
from shiny_labchat.export.people_rows import MemberRows, flow_rows, note_progress, room_row
from shiny_labchat.export.room_walk import RoomWalk
from shiny_labchat.export.scripts import write_scripts
from shiny_labchat.export.source import Source
from shiny_labchat.export.study_json import room_settings, study_json
from shiny_labchat.export.study_walk import walk_lobby, walk_study
from shiny_labchat.export.tables import Rows, Tables
from shiny_labchat.store.exporting import LogHead, audit_keys, bots_of_log, members_of_log

__all__ = ["Ids", "People", "Written", "hash_of", "scan", "write_folder", "write_tables"]

Ids = Mapping[str, Mapping[str, str]]
"""By study and member, the id that stands in its place."""
People = Mapping[str, Collection[str]]
"""By study, the ids of those whose words an export has."""


@dataclass(frozen=True, slots=True)
class Written:
    """
    What was written.

    Parameters
    ----------
    counts
        By table, how many rows.
    people
        Whose words these have.
    sha256
        The hash of ``SHA256SUMS``; "": there is none.
    """

    counts: Mapping[str, int]
    people: People
    sha256: str = ""


def scan(source: Source) -> list[StudyFacts]:
    """Read what the logs of studies and lobbies say, before any room is read."""
    by_study = groupby(source.heads, key=lambda head: head.key.study)
    return [scan_study(source, study, list(heads)) for study, heads in by_study]


def write_folder(
    source: Source, folder: Path, order: Order, studies: Sequence[StudyFacts], ids: Ids
) -> Written:
    """
    Write an export into an empty folder.

    Parameters
    ----------
    source
        The database.
    folder
        The folder.
    order
        What is asked for.
    studies
        The studies, as `scan` gives them.
    ids
        The random ids; empty: they are not asked for.
    """
    products = folder / "products" if PSYCH_DS in order.formats else folder
    products.mkdir(exist_ok=True)
    formats: dict[str, Format] = {}
    for name in order.formats:
        is_apart = FORMATS[name].has_folder or (products != folder and name != PSYCH_DS)
        own = products / name if is_apart else folder
        own.mkdir(parents=True, exist_ok=True)
        to = Destination(own, folder, order.is_excel_safe, tuple(each.name for each in studies))
        formats[name] = FORMATS[name].make(to)
    tables = Tables(formats)
    people: dict[str, set[str]] = {}
    spool = folder / ".answers"
    try:
        write_tables(source, tables, order, studies, ids, spool=spool, people=people)
    finally:
        counts = tables.close()
    marker = order.marker([each.name for each in studies], _shown_rooms(source, order, ids))
    about = About(
        marker,
        study_json((each, Disguise(_shown_ids(order, ids, each))) for each in studies),
        tuple(tables.made),
    )
    files = _finish(folder, products, formats, about, order)
    write_scripts(products, folder, files, (*about.tables, CODEBOOK_TABLE))
    marked = {**about.marker, "tables": files}
    (folder / MARKER).write_bytes(orjson.dumps(marked, option=_READABLE))
    sums = sums_of(folder, (path for path in folder.rglob("*") if path.is_file())).encode()
    (folder / SUMS).write_bytes(sums)
    return Written(counts, people, hash_of(sums))


_READABLE = orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE | orjson.OPT_NON_STR_KEYS


def hash_of(content: bytes) -> str:
    """The SHA-256 of some content, in hexadecimal."""
    return hashlib.sha256(content).hexdigest()


def _shown_ids(order: Order, ids: Ids, study: StudyFacts) -> Mapping[str, str] | None:
    """The ids that stand in place of those of a study's people; None: they are shown."""
    return ids.get(study.name, {}) if order.is_anonymous else None


def _shown_rooms(source: Source, order: Order, ids: Ids) -> list[str] | None:
    """The ids of the rooms that were asked for, as they are shown."""
    if order.rooms is None or not order.is_anonymous:
        return None if order.rooms is None else list(order.rooms)
    shown: dict[str, list[str]] = {}
    for key in (head.key for head in source.heads if head.key.kind == "room"):
        name = Disguise(ids.get(key.study, {})).name(key.id)
        shown.setdefault(key.id, []).append(name)
    return list(dict.fromkeys(name for room in order.rooms for name in shown.get(room, ())))


def _finish(
    folder: Path, products: Path, formats: Mapping[str, Format], about: About, order: Order
) -> dict[str, dict[str, str]]:
    """Write what only the end tells; by table and format, the files."""
    codebook = products / "codebook.csv"
    sink = CsvSink(codebook.open("wb"), CODEBOOK_TABLE.columns, is_excel_safe=order.is_excel_safe)
    sink.write(codebook_rows((*about.tables, CODEBOOK_TABLE)))
    sink.close()
    (products / "study.json").write_bytes(orjson.dumps(about.study, option=_READABLE))
    files: dict[str, dict[str, str]] = {}
    for name, each in formats.items():
        for table, path in each.finish(about).items():
            files.setdefault(table, {})[name] = path.relative_to(folder).as_posix()
    files.setdefault("codebook", {})["csv"] = codebook.relative_to(folder).as_posix()
    return files


def write_tables(
    source: Source, tables: Tables, order: Order, studies: Sequence[StudyFacts], ids: Ids, *,
    spool: Path, people: dict[str, set[str]],
) -> None:  # fmt: skip
    """
    Give the rows of all tables.

    Parameters
    ----------
    source, tables, order, studies, ids
        As in `write_folder`.
    spool
        A temporary file, which is made and deleted.
    people
        Is given, by study, the ids of those whose words the rows have, as far as it gets.
    """
    factors = list(dict.fromkeys(name for each in studies for name in each.factors()))
    items = list(dict.fromkeys(item for each in studies for item in each.items()))
    answers = Answers(spool, order.since)
    try:
        writing = _Writing(source, tables, order, answers, factors, items)
        for study in studies:
            shown, shares = _shown_ids(order, ids, study), None
            if order.is_public:
                shares = shares_in(
                    study.state, source.names(source.of_study(study.name), bots_of_log)
                )
            writing.study(study, Disguise(shown, shares), people.setdefault(study.name, set()))
        answers.write(tables, factors)
    finally:
        answers.close()
        spool.unlink(missing_ok=True)


class _Writing:
    def __init__(
        self, source: Source, tables: Tables, order: Order, answers: Answers,
        factors: list[str], items: list[str],
    ) -> None:  # fmt: skip
        self._source = source
        self._order = order
        self._answers = answers
        self._factors, self._items = factors, items

        def rows(name: str) -> Rows:
            return tables.rows(Table(name, columns_of(name, factors=factors, items=items)))

        self._messages, self._members, self._rooms = map(rows, ("messages", "members", "rooms"))
        self._payments, self._events = rows("payments"), rows("events")
        self._calls, self._flow = rows("bot_calls"), rows("flow")
        self._changes = rows("changes") if order.since else None

    def study(self, study: StudyFacts, disguise: Disguise, people: set[str]) -> None:
        """Give the rows of a study, and tell whose words they have."""
        heads = self._source.of_study(study.name)
        members = MemberRows(study, disguise, self._factors, self._items)
        only = None
        if self._order.rooms is not None:
            rooms = [head for head in heads if head.key.kind == "room"]
            only = self._source.names(rooms, members_of_log)
        for head in heads:
            events = EventRows(self._events, head.key, disguise, self._order.since)
            match head.key.kind:
                case "room":
                    self._room(study, head, disguise, events, members, people)
                case "study":
                    walk_study(
                        self._source, head, study, disguise,
                        events=events if only is None else None, payments=self._payments,
                        answers=self._answers, people=people, only=only,
                    )  # fmt: skip
                case "lobby" if only is None:
                    walk_lobby(self._source, head, disguise, events)
                case "lobby":
                    pass
        everybody = [each for each in study.state.people if only is None or each in only]
        members.add_others(everybody)
        self._members.extend(members.rows())
        self._flow.extend(flow_rows(study, everybody, disguise))

    def _room(
        self, study: StudyFacts, head: LogHead, disguise: Disguise, events: EventRows,
        members: MemberRows, people: set[str],
    ) -> None:  # fmt: skip
        keys = self._source.read(lambda conn: audit_keys(conn, head.number))
        walk = RoomWalk(
            self._source, head, study, disguise, since=self._order.since,
            messages=self._messages, events=events, answers=self._answers,
            factors=self._factors, has_calls=bool(keys), people=people, changes=self._changes,
        )  # fmt: skip
        walk.run()
        facts, made, room = walk.facts, walk.made, disguise.name(head.key.id)
        note_progress(study, head.key.id, facts)
        members.add_room(head.key.id, facts, made)
        self._rooms.add(room_row(study, room, facts, made, self._factors, disguise))
        study.rooms.append(room_settings(room, facts.state, facts.changes, disguise))
        if keys:
            everybody = facts.state.memberships.values()
            humans = (each.member for each in everybody if not each.is_bot)
            hides = not all(map(disguise.shows_words, humans))
            CallRows(
                self._source, study.name, room, disguise,
                hides_prompts=hides, since=self._order.since, upto=head.seq,
            ).write(keys, self._calls)  # fmt: skip
