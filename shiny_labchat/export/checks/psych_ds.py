"""
The rules of Psych-DS, version 1.5 of its schema: those whose breach makes a data set invalid.

Some of what the schema recommends is noted, too. Files that it does not know are allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from shiny_labchat.export.checks.csv_files import BadCsv, rows_of
from shiny_labchat.export.checks.description import (
    DESCRIPTION,
    check_description,
    measured,
    read_object,
)
from shiny_labchat.export.checks.finding import Finding, error, warning

__all__ = ["check_psych_ds"]

DATA = "data"
FILE_NAME = re.compile(r"([a-z]+-[a-zA-Z0-9]+)(_[a-z]+-[a-zA-Z0-9]+)*_data\.csv")
"""The name of a data file."""
KEYWORDS = frozenset("study site subject session task condition trial stimulus description".split())
"""The keywords of names that the schema has; others are allowed."""
INHERITED = "file_metadata.json"
ROW_ID = "row_id"
UNREADABLE = "size"
"""The official validator, in February 2026, takes a file with a column of this name for broken."""
_RECOMMENDED = {"README": "what the data set is", "CHANGES": "what has changed in it"}
_TOLD = 5


def check_psych_ds(folder: Path) -> Iterator[Finding]:
    """What is wrong with a data set, by the rules of Psych-DS."""
    description, found = read_object(folder, DESCRIPTION)
    yield from found
    if description is not None:
        yield from check_description(description, DESCRIPTION)
    yield from _check_recommended(folder)
    data = folder / DATA
    if not data.is_dir():
        yield error(
            "no-data-folder",
            "",
            f"it has no folder {DATA}",
            f"Make a folder with the name {DATA}, in small letters, with the CSV files",
        )
        return
    yield from _check_data(folder, description or {})


def _check_recommended(folder: Path) -> Iterator[Finding]:
    names = {path.stem for path in folder.iterdir() if path.suffix in (".md", ".txt")}
    for name, says in _RECOMMENDED.items():
        if name not in names:
            yield warning("recommended", "", f"it has no {name}.md", f"Write one that says {says}")
    for path in sorted(folder.rglob(DESCRIPTION)):
        if path.parent != folder:
            yield warning(
                "description-place",
                _name(folder, path),
                "a description is read at the top of the data set only",
                f"Move it there, or name it {INHERITED}",
            )


# ── data files ───────────────────────────────────────────────────────────────────────────────


def _check_data(folder: Path, description: Mapping[str, Any]) -> Iterator[Finding]:
    paths = sorted(path for path in (folder / DATA).rglob("*") if path.is_file())
    data_files = [path for path in paths if path.stem.endswith("_data") and path.suffix == ".csv"]
    valid = 0
    seen: set[str] = set()
    claimed: dict[str, str] = {}
    for path in data_files:
        file = _name(folder, path)
        variables, where, found = _variables_of(folder, path, description)
        yield from found
        found = [*_check_name(file, path.name)]
        valid += not any(each.is_error for each in found)
        yield from found
        header, found = _check_csv(file, path)
        yield from found
        seen.update(header)
        for name in variables or ():
            claimed.setdefault(name, where)
        if variables is not None:
            yield from _check_columns(file, header, variables, where)
    yield from _check_others(folder, [path for path in paths if path not in data_files])
    if not valid:
        yield error(
            "no-data-file",
            DATA,
            "it has no data file with a valid name",
            "Name a CSV file like study-pilot_data.csv: keyword-value, joined by _, and "
            "_data.csv at the end",
        )
        return
    yield from _check_claimed(claimed, seen)


def _check_claimed(claimed: Mapping[str, str], seen: set[str]) -> Iterator[Finding]:
    for where in dict.fromkeys(claimed.values()):
        extra = [name for name, at in claimed.items() if at == where and name and name not in seen]
        if extra:
            yield error(
                "variable-not-in-data",
                where,
                f"variableMeasured has what is a column of no data file: {_some(extra)}",
                "Take it out, or correct the name: it is case-sensitive",
            )


def _check_name(file: str, name: str) -> Iterator[Finding]:
    if not FILE_NAME.fullmatch(name):
        yield error(
            "file-name",
            file,
            "this is no valid name of a data file",
            "Name it like study-pilot_condition-a_data.csv: keywords of small letters, "
            "values of letters and digits only",
        )
        return
    keywords = [part.split("-")[0] for part in name.removesuffix("_data.csv").split("_")]
    other = [each for each in keywords if each not in KEYWORDS]
    if other:
        yield warning(
            "keyword",
            file,
            f"Psych-DS does not know the keyword {_some(other)}",
            "This is allowed; say in the README what it means",
        )


def _check_others(folder: Path, paths: Sequence[Path]) -> Iterator[Finding]:
    for path in paths:
        file = _name(folder, path)
        if path.suffix == ".csv":
            yield warning(
                "not-a-data-file",
                file,
                "its name does not end in _data.csv, so it is not checked",
                "Rename it, if it is a data file",
            )
        elif path.suffix == ".json" and path.name != DESCRIPTION and not _is_read(path):
            yield warning(
                "not-a-sidecar",
                file,
                "there is no data file of this name",
                "Name it like the data file that it describes",
            )


def _is_read(path: Path) -> bool:
    return path.name == INHERITED or path.with_suffix(".csv").is_file()


def _check_csv(file: str, path: Path) -> tuple[Sequence[str], list[Finding]]:
    """The columns of a data file, and what is wrong with it."""
    rows = _Rows()
    try:
        for line, row in rows_of(path):
            rows.add(line, row)
    except BadCsv as exc:
        to_do = (
            "Write it anew as CSV in UTF-8; a field with a comma, a line break or a quotation mark "
            "stands in quotation marks, and those in it are doubled"
        )
        broken = error(exc.code, file, f"at line {exc.line}, {exc.problem}", to_do)
        return rows.header, [*_check_header(file, rows.header), broken]
    return rows.header, [*_check_header(file, rows.header), *rows.findings(file)]


class _Rows:
    """The rows of a data file: whether they fit the header, and have ids of their own."""

    def __init__(self) -> None:
        self.header: Sequence[str] = ()
        self._id: int | None = None
        self._ids: set[str] = set()
        self._again: list[str] = []
        self._wrong: list[str] = []

    def add(self, line: int, row: Sequence[str]) -> None:
        if not self.header:
            self.header = row
            self._id = row.index(ROW_ID) if ROW_ID in row else None
        elif len(row) != len(self.header):
            self._wrong.append(f"line {line} has {len(row)}")
        elif self._id is not None:
            id = row[self._id]
            self._again += [id] if id in self._ids else []
            self._ids.add(id)

    def findings(self, file: str) -> Iterator[Finding]:
        if not self.header:
            to_do = "Write the names of the columns into its first line"
            yield error("csv-header", file, "it has no header", to_do)
        if self._wrong:
            problem = f"the header has {len(self.header)} columns, but {_some(self._wrong)}"
            to_do = "Give each row as many fields; put texts with commas in quotation marks"
            yield error("csv-width", file, problem, to_do)
        if self._again:
            to_do = f"Make each {ROW_ID} unique, or give the column another name"
            yield error("row-id", file, f"{ROW_ID} is there twice: {_some(self._again)}", to_do)


def _check_header(file: str, header: Sequence[str]) -> Iterator[Finding]:
    twice = sorted({name for name in header if header.count(name) > 1})
    if twice:
        yield error(
            "csv-header-twice",
            file,
            f"several columns have the name {_some(twice)}",
            "Give each column a name of its own",
        )
    if not all(name.strip() for name in header):
        yield error("csv-header", file, "a column has no name", "Give each column a name")
    if UNREADABLE in header:
        yield warning(
            "column-size",
            file,
            f"the validator of Psych-DS cannot read a column with the name {UNREADABLE}",
            "Give it another name, if the data set is to pass there",
        )


def _check_columns(
    file: str, header: Sequence[str], variables: Sequence[str], where: str
) -> Iterator[Finding]:
    unknown = [name for name in dict.fromkeys(header) if name.strip() and name not in variables]
    if unknown:
        yield error(
            "column-not-described",
            file,
            f"variableMeasured in {where} does not have its column {_some(unknown)}",
            f'Describe it there: {{"@type": "PropertyValue", "name": '
            f'"{unknown[0]}", "description": "..."}}',
        )


# ── what describes a data file ───────────────────────────────────────────────────────────────


def _variables_of(
    folder: Path, path: Path, description: Mapping[str, Any]
) -> tuple[Sequence[str] | None, str, list[Finding]]:
    """
    The variables that describe a data file, the file that names them, and what is wrong there.

    What stands nearer to a data file replaces what stands further up, field by field.
    """
    fields = {"variableMeasured": description.get("variableMeasured")}
    where = DESCRIPTION
    found: list[Finding] = []
    for sidecar in _sidecars(folder, path):
        name = _name(folder, sidecar)
        data, wrong = read_object(folder, name)
        found += wrong
        if data is not None and "variableMeasured" in data:
            fields, where = data, name
    return measured(fields.get("variableMeasured")), where, found


def _sidecars(folder: Path, path: Path) -> Iterator[Path]:
    parts = path.relative_to(folder).parts[:-1]
    for length in range(1, len(parts) + 1):
        inherited = folder.joinpath(*parts[:length], INHERITED)
        if inherited.is_file():
            yield inherited
    own = path.with_suffix(".json")
    if own.is_file():
        yield own


def _name(folder: Path, path: Path) -> str:
    return path.relative_to(folder).as_posix()


def _some(names: Sequence[str]) -> str:
    more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
    return ", ".join(map(repr, names[:_TOLD])) + more
