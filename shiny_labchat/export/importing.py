"""An export read into a database: its logs and the calls of bots, from which all else follows."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from typing import Any, cast

import orjson
import sqlalchemy as sa

from shiny_labchat.audit.spending import Spent, spend
from shiny_labchat.callbacks.cursors import pass_over
from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import ExportError
from shiny_labchat.export.columns import TABLES, Column
from shiny_labchat.export.folder import SUMS
from shiny_labchat.export.format import Row
from shiny_labchat.export.marker import Marker, differences, read_marker
from shiny_labchat.export.source import loads
from shiny_labchat.export.table_files import READABLE, rows_of
from shiny_labchat.store.importing import (
    LogWriter,
    insert_calls,
    keep_ids,
    keep_names,
    last_call,
    record_in_study,
    studies_among,
)

__all__ = ["Importable", "ImportedTables", "import_tables", "open_export"]

EVENTS: Sequence[Column] = TABLES["events"]
CALLS: Sequence[Column] = TABLES["bot_calls"]
CALLS_AT_ONCE = 20
"""Calls that are written together: their prompts may be long."""
_TOLD = 5
"""How many files an error names."""
_WORDS = frozenset({"message", "recorded", "submitted"})
"""The kinds of events by which people have words in an export."""
_AUDIT = {
    "call": "key", "trigger": "seq", "asked_at": "asked", "first_at": "first", "done_at": "done",
    "posted_at": "posted", "trigger_name": "trigger",
}  # fmt: skip
"""Columns of the table of calls that have another name in the audit."""
_NOTHING: Mapping[str, Any] = {
    "imported": True, "sha256": "", "formats": [], "anonymised": False, "public": False,
    "since": None, "rooms": None, "people": [],
}  # fmt: skip
"""The data of the events that stand for earlier exports, which are in no export."""


@dataclass(frozen=True, slots=True)
class Importable:
    """
    An export that can be imported.

    Parameters
    ----------
    folder
        Its folder.
    marker
        What it says of itself.
    sha256
        Its hash, as its event in the log had it.
    events, calls
        The files of these tables.
    """

    folder: Path
    marker: Marker
    sha256: str
    events: Path
    calls: Path

    @property
    def size(self) -> int:
        """How many bytes are read."""
        return self.events.stat().st_size + self.calls.stat().st_size


@dataclass(slots=True)
class ImportedTables:
    """
    What was imported.

    Parameters
    ----------
    studies
        The names of the studies.
    rooms, events, calls
        How many rooms, events and calls of bots.
    """

    studies: tuple[str, ...]
    rooms: int = 0
    events: int = 0
    calls: int = 0


def open_export(folder: Path) -> Importable:
    """
    Check that an export can be imported; this reads all of its files, to compare their hashes.

    Raises
    ------
    ExportError
        It is no export, was changed, or has not all that an import needs.
    """
    marker = read_marker(folder)
    if marker.since is not None or marker.rooms is not None:
        what = "some rooms" if marker.since is None else f"what came since {marker.since}"
        raise ExportError(
            folder, f"it has only {what}, and cannot be imported; export all of the study"
        )
    _check_unchanged(folder)
    events, calls = (_file_of(folder, marker, table) for table in ("events", "bot_calls"))
    digest = hashlib.sha256((folder / SUMS).read_bytes()).hexdigest()
    return Importable(folder, marker, digest, events, calls)


def _check_unchanged(folder: Path) -> None:
    """Compare the files with their hashes; files that somebody has added do not matter."""
    found = [f"{each.path} ({each.what})" for each in differences(folder) if each.what != "new"]
    if found:
        more = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise ExportError(
            folder,
            f"it is not as it was exported: {', '.join(found[:_TOLD])}{more}. Import an "
            "unchanged copy, or export again",
        )


def _file_of(folder: Path, marker: Marker, table: str) -> Path:
    files = [folder / path for path in marker.tables.get(table, {}).values()]
    if marker.excel_safe:
        files = [path for path in files if path.suffix != ".csv"]
    for suffix in READABLE:
        for path in files:
            if path.suffix == suffix and path.is_file():
                return path
    if marker.excel_safe:
        reason = "its CSV files were changed for Excel; export without --excel-safe, or as jsonl"
        raise ExportError(folder, f"{reason}, and import that")
    raise ExportError(
        folder, f"it has no table {table} as csv, jsonl or parquet; export it in one of these"
    )


def import_tables(
    conn: sa.Connection, now: int, source: Importable, progress: Callable[[int, int], None]
) -> ImportedTables:
    """
    Write an export into the database, in the transaction that is open.

    Parameters
    ----------
    conn, now
        The transaction, and the time in microseconds since 1970 (UTC).
    source
        The export.
    progress
        Called with how many bytes were read, and how many there are.

    Raises
    ------
    ExportError
        The database has such a study, or the export is not complete.
    """
    _check_new(conn, source)
    importing = _Importing(conn, source, progress)
    importing.events()
    importing.calls()
    importing.finish(now)
    return importing.made


def _check_new(conn: sa.Connection, source: Importable) -> None:
    known = studies_among(conn, source.marker.studies)
    if known:
        names = ", ".join(map(repr, known))
        raise ExportError(
            source.folder,
            f"the database has the study {names} already, and nothing was imported; name a new "
            "file with --db",
        )


@dataclass(slots=True)
class _StudySaid:
    """What the events of a study say that is not in the logs' rows: who has words, and names."""

    people: dict[str, None] = field(default_factory=dict[str, None])
    names: dict[str, str] = field(default_factory=dict[str, str])
    taken: set[str] = field(default_factory=set[str])

    def name(self, member: str, name: str) -> None:
        """Note the first name that was chosen for a member; nobody else has it in the study."""
        if member not in self.names and name not in self.taken:
            self.names[member] = name
            self.taken.add(name)


class _Importing:
    def __init__(
        self, conn: sa.Connection, source: Importable, progress: Callable[[int, int], None]
    ) -> None:
        self.made = ImportedTables(source.marker.studies)
        self._conn = conn
        self._source = source
        self._progress = progress
        self._size = source.size
        self._said = {name: _StudySaid() for name in source.marker.studies}
        self._heads: dict[LogKey, tuple[int, int]] = {}
        self._log: tuple[LogKey, LogWriter] | None = None

    # ── events ──

    def events(self) -> None:
        """Write all logs."""
        for read, rows in rows_of(self._source.events, EVENTS):
            for key, of_log in groupby(rows, key=_log_of):
                self._append(key, [row[3:] for row in of_log])
            self.made.events += len(rows)
            self._progress(read, self._size)
        self._close()

    def _append(self, key: LogKey, rows: list[Row]) -> None:
        if self._log is None or self._log[0] != key:
            self._begin(key)
        assert self._log is not None
        log = self._log[1]
        log.write(self._whole(key, log.seq, rows))
        said = self._said[key.study]
        for seq, _, kind, member, data, _ in rows:
            self._note(log, said, seq, kind, member, self._data(key, seq, kind, data))

    def _begin(self, key: LogKey) -> None:
        self._close()
        if key in self._heads or key.study not in self._said:
            raise self._error(f"its events of {key.id!r} are not in their order")
        self._log = key, LogWriter(self._conn, key)
        self.made.rooms += key.kind == "room"

    def _close(self) -> None:
        if self._log is not None:
            key, log = self._log
            log.close()
            self._heads[key] = log.number, log.seq
            self._log = None

    def _whole(self, key: LogKey, seq: int, rows: list[Row]) -> list[tuple[Any, ...]]:
        """The rows of a log without gaps: exports are events, too, and are in no export."""
        whole: list[tuple[Any, ...]] = []
        for row in rows:
            missing = range(seq + 1, row[0])
            if row[0] <= seq or (missing and key.kind != "study"):
                raise self._error(f"the log of {key.id!r} has a gap before event {row[0]}")
            text = orjson.dumps(_NOTHING).decode()
            whole += [(each, row[1], "exported", None, text, None) for each in missing]
            whole.append(tuple(row))
            seq = row[0]
        return whole

    def _data(self, key: LogKey, seq: int, kind: str, text: str) -> Mapping[str, Any]:
        try:
            data: object = loads(kind, text)
        except ValueError:
            data = None
        if not isinstance(data, dict):
            raise self._error(f"event {seq} of {key.id!r} has no data that can be read")
        return cast("Mapping[str, Any]", data)

    def _note(
        self, log: LogWriter, said: _StudySaid, seq: int, kind: str, member: str | None,
        data: Mapping[str, Any],
    ) -> None:  # fmt: skip
        if kind in _WORDS and member is not None and "withdrawn" not in data:
            said.people[member] = None
        if kind == "message" and "live" in data:
            log.open(seq)
        elif kind == "streamed":
            log.end(data["of"])
        elif kind == "joined" and member is not None:
            name = data.get("pseudonym")
            if name and name == data.get("asked"):
                said.name(member, name)

    def _error(self, what: str) -> ExportError:
        return ExportError(self._source.folder, f"{what}; nothing was imported. Export again")

    # ── calls ──

    def calls(self) -> None:
        """Write the audit, and what was spent."""
        before, size = last_call(self._conn), self._source.events.stat().st_size
        spending: dict[tuple[str, str], Spent] = {}
        for read, rows in rows_of(self._source.calls, CALLS):
            for start in range(0, len(rows), CALLS_AT_ONCE):
                calls = [self._call(row, before) for row in rows[start : start + CALLS_AT_ONCE]]
                insert_calls(self._conn, calls)
                for row, each in zip(rows[start:], calls, strict=False):
                    whose = row[0], each["bot"]
                    spending[whose] = _added(spending.get(whose, Spent()), each)
            self.made.calls += len(rows)
            self._progress(size + read, self._size)
        for (study, bot), total in spending.items():
            spend(self._conn, study, bot, total)

    def _call(self, row: Row, before: int) -> dict[str, Any]:
        """An entry of the audit; its key comes after those that the database has."""
        given = dict(zip((column.name for column in CALLS), row, strict=True))
        where = LogKey(given.pop("study"), given["room"])
        if where not in self._heads:
            raise self._error(f"it has calls of bots in {where.id!r}, but no events")
        entry = {_AUDIT.get(name, name): value for name, value in given.items()}
        key, (number, _) = entry["key"] + before, self._heads[where]
        return {**entry, "key": key, "room": number, "kept": 0, "within": 0}

    # ── the end ──

    def finish(self, now: int) -> None:
        """Write what follows from the logs, and record whose words this export has."""
        marker = self._source.marker
        pass_over(self._conn, self._heads.values())
        for study, said in self._said.items():
            keep_names(self._conn, study, said.names.items())
            if marker.anonymised:
                keep_ids(self._conn, study)
            data = {
                **_NOTHING, "sha256": self._source.sha256, "formats": list(marker.formats),
                "anonymised": marker.anonymised, "public": marker.public,
                "people": sorted(said.people),
            }  # fmt: skip
            record_in_study(self._conn, study, now, "exported", data)


def _log_of(row: Row) -> LogKey:
    study, kind, id = row[:3]
    return LogKey(study, id, kind)


def _added(total: Spent, call: Mapping[str, Any]) -> Spent:
    """What was spent with a call, too, as the audit adds it up."""
    if not call["is_call"] or call["is_fallback"]:
        return total
    calls, tokens_in, tokens_out, cost, unpriced = total
    if call["tokens_in"] is not None:
        tokens_in += call["tokens_in"] + (call["tokens_cached"] or 0)
        tokens_out += call["tokens_out"] or 0
        cost += call["cost"] or 0.0
        unpriced += call["cost"] is None
    return Spent(calls + 1, tokens_in, tokens_out, cost, unpriced)
