"""
What was recorded: kept in a temporary file while the logs are read, then written as tables.

Only at the end it is known which record of a kind is the latest, and which fields a kind has.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.ended import condition_text
from shiny_labchat.export.columns import WIDE, Column, ColumnType, columns_of, with_families
from shiny_labchat.export.conditions import levels_of
from shiny_labchat.export.format import Table
from shiny_labchat.export.tables import Tables

__all__ = ["Answer", "Answers", "fields_of", "names_of", "type_of"]

_SAFE = re.compile(r"[^A-Za-z0-9_]+")


class Answer(NamedTuple):
    """
    A record, as the temporary file has it.

    Parameters
    ----------
    study, log, log_id
        The study, the kind of the log, and the log's id.
    room
        The room; None: there was none.
    round, cohort
        The numbers of the round and of the cohort of the room's group; None: it has none.
    whose
        The member as the log has it, by whom the latest one is told.
    member
        The member as it is shown.
    condition
        The condition of the group.
    kind, seq, at
        The record's kind, its seq and time.
    about
        When a form was shown, changed and sent, by its page.
    value
        What was recorded; None: nothing, or it is not shown.
    """

    study: str
    log: str
    log_id: str
    room: str | None
    round: int | None
    cohort: int | None
    whose: str | None
    member: str | None
    condition: Any
    kind: str
    seq: int
    at: int
    about: Mapping[str, int]
    value: Any


class Answers:
    """
    The records of an export.

    Parameters
    ----------
    path
        A temporary file, which is made and must be deleted by whoever calls.
    since
        Records before it are left out, in microseconds since 1970 (UTC).
    """

    def __init__(self, path: Path, since: int) -> None:
        self._path = path
        self._file = path.open("w", encoding="utf-8", newline="\n")
        self._since = since
        self._latest: dict[tuple[str | None, ...], int] = {}
        self._fields: dict[str, dict[str, set[ColumnType]]] = {}

    def add(self, answer: Answer) -> None:
        """Keep a record."""
        self._latest[_whose(answer)] = answer.seq
        if answer.at < self._since:
            return
        fields = self._fields.setdefault(answer.kind, {})
        for name, value in fields_of(answer.value).items():
            known = fields.setdefault(name, set())
            if (found := _wide_type(value)) is not None:
                known.add(found)
        self._file.write(json.dumps(answer, ensure_ascii=False, separators=(",", ":")) + "\n")

    def close(self) -> None:
        """Close the temporary file."""
        self._file.close()

    def write(self, tables: Tables, factors: list[str]) -> None:
        """Write all tables of answers."""
        self._file.close()
        long = tables.rows(Table("answers", columns_of("answers", factors=factors)))
        wide = {
            kind: (tables.rows(Table(name, _wide_columns(fields, factors))), fields)
            for (kind, fields), name in zip(
                self._fields.items(), names_of(list(self._fields)), strict=True
            )
        }
        for answer in self._answers():
            head = self._head(answer, factors)
            rows, fields = wide[answer.kind]
            said = fields_of(answer.value)
            for name, value in said.items():
                long.add((*head, name, _as_text(value), type_of(value)))
            rows.add((*head, *(_cell(said.get(name), types) for name, types in fields.items())))

    def _answers(self) -> Iterator[Answer]:
        with self._path.open(encoding="utf-8", newline="\n") as file:
            for line in file:
                yield Answer(*json.loads(line))

    def _head(self, answer: Answer, factors: list[str]) -> tuple[Any, ...]:
        shown, changed, sent = (
            answer.about.get(name) for name in ("shown_at", "first_change_at", "sent_at")
        )
        return (
            *(answer.study, answer.room, answer.round, answer.cohort, answer.member),
            *(condition_text(answer.condition), *levels_of(answer.condition, factors)),
            *(answer.kind, answer.log, answer.seq),
            *(self._latest[_whose(answer)] == answer.seq, answer.at),
            *(_between(shown, sent), _between(shown, changed)),
        )


def _whose(answer: Answer) -> tuple[str | None, ...]:
    """Of what a record is the latest or not: what is recorded in a round is of that round."""
    of_round = answer.room if answer.round else None
    return answer.study, answer.log, answer.log_id, answer.whose, answer.kind, of_round


def _between(first: int | None, last: int | None) -> int | None:
    return None if first is None or last is None else last - first


def fields_of(value: Any) -> Mapping[str, Any]:
    """The fields of a record; one that has no fields is its own "value"."""
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value)
    return {} if value is None else {"value": value}


def type_of(value: Any) -> str:
    """The `value_type` of a value."""
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case str():
            return "text"
        case _:
            return "json"


def _as_text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _wide_type(value: Any) -> ColumnType | None:
    """The type that a column has if all of its values are like this one; None: any."""
    match value:
        case None:
            return None
        case bool():
            return "boolean"
        case int() if abs(value) <= _EXACT:
            return "integer"
        case float():
            return "number"
        case _:
            return "text"


_EXACT = 2**53
"""Up to here every whole number is one that all readers of numbers have."""


def _column_type(types: set[ColumnType]) -> ColumnType:
    if len(types) == 1:
        return next(iter(types))
    return "number" if types == {"integer", "number"} else "text"


def _cell(value: Any, types: set[ColumnType]) -> Any:
    return _as_text(value) if _column_type(types) == "text" else value


def _wide_columns(fields: Mapping[str, set[ColumnType]], factors: list[str]) -> tuple[Column, ...]:
    head = columns_of("answers", factors=factors)[:-3]
    taken = {column.name for column in head}
    made: list[Column] = []
    for name, types in fields.items():
        column = name or "value"
        while column in taken:
            column += "_"
        taken.add(column)
        made.append(Column(column, _column_type(types), WIDE[-1].meaning))
    return (*head, *with_families([WIDE[-1]], {"*": made}))


def names_of(kinds: list[str]) -> list[str]:
    """
    The names of the tables of some kinds.

    They are unique as names of files, and as attributes, which have underscores for hyphens.
    """
    names: list[str] = []
    for kind in kinds:
        safe = _SAFE.sub("-", kind).strip("-") or "kind"
        name, number = safe, 2
        while _folded(name) in map(_folded, names):
            name, number = f"{safe}-{number}", number + 1
        names.append(name)
    return [f"answers-{name}" for name in names]


def _folded(name: str) -> str:
    return name.lower().replace("-", "_")
