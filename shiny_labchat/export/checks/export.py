"""The rules of an export: its files are as they were written, and its tables fit each other."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shiny_labchat.errors import ExportError
from shiny_labchat.export.checks.csv_files import BadCsv, rows_of
from shiny_labchat.export.checks.finding import Finding, error, warning
from shiny_labchat.export.checks.relations import Relations
from shiny_labchat.export.checks.values import Values
from shiny_labchat.export.columns import ColumnType
from shiny_labchat.export.folder import MARKER, SUMS
from shiny_labchat.export.marker import Marker, differences, read_marker
from shiny_labchat.export.reading import codebook_types
from shiny_labchat.export.scripts import csv_file

__all__ = ["check_export"]

AGAIN = "Export again; a file that you want to change is better copied first"
_DIFFERENCES = {
    "changed": "it is not as it was exported: its SHA-256 is another",
    "missing": f"it is missing, and {SUMS} lists it",
    "unlisted": "it is missing, or cannot be read, so no file can be compared",
}
_NOTHING: tuple[int, list[str]] = (0, [])
_FIRST = ("codebook", "rooms", "members")
"""What other tables refer to is read first."""


def check_export(folder: Path) -> Iterator[Finding]:
    """What is wrong with an export."""
    try:
        marker = read_marker(folder)
        types = codebook_types(folder, marker)
    except (ExportError, KeyError, UnicodeDecodeError) as exc:
        reason = exc.reason if isinstance(exc, ExportError) else f"its codebook is broken ({exc})"
        yield error("marker", MARKER, reason, AGAIN)
        return
    yield from _check_sums(folder)
    yield from _check_tables(folder, marker, types)


def _check_sums(folder: Path) -> Iterator[Finding]:
    for each in differences(folder):
        if each.what == "new":
            yield warning("new-file", each.path, "it was not exported", "Keep it elsewhere")
        else:
            yield error(f"file-{each.what}", each.path, _DIFFERENCES[each.what], AGAIN)


def _check_tables(
    folder: Path, marker: Marker, types: Mapping[str, Mapping[str, ColumnType]]
) -> Iterator[Finding]:
    has_texts = not marker.public and not marker.excel_safe
    relations = Relations(
        is_whole=marker.since is None, has_texts=has_texts, has_all_rooms=marker.rooms is None
    )
    few = _few_values(folder, marker)
    read: set[str] = set()
    for table in sorted(marker.tables, key=lambda name: (name not in _FIRST, name)):
        if table not in types:
            yield error("codebook", MARKER, f"the codebook does not know the table {table}", AGAIN)
            continue
        file = csv_file(marker.tables[table])
        if file is None or not (folder / file).is_file():
            continue  # another format, or said to be missing
        read.add(table)
        values = Values(types[table], few.get(table, {}))
        try:
            yield from _check_table(folder / file, file, table, values, relations)
        except BadCsv as exc:
            yield error(exc.code, file, f"at line {exc.line}, {exc.problem}", AGAIN)
            return
    if not read - {"codebook"}:
        yield warning(
            "no-csv",
            "",
            "only the hashes of its files were compared, as it has no CSV files",
            "Export it with the format csv, too, to have its tables checked",
        )
    yield from relations.findings()


def _check_table(
    path: Path, file: str, table: str, values: Values, relations: Relations
) -> Iterator[Finding]:
    rows = rows_of(path)
    _, header = next(rows, _NOTHING)
    if header != values.columns:
        yield error("columns", file, "its columns are not those of the codebook", AGAIN)
        return
    relations.begin(table, file, header)
    for line, row in rows:
        if len(row) != len(header):
            yield error(
                "csv-width", file, f"line {line} has {len(row)} fields, not {len(header)}", AGAIN
            )
            return
        yield from values.check(file, line, row)
        relations.add(line, row)


def _few_values(folder: Path, marker: Marker) -> Mapping[str, Mapping[str, Sequence[str]]]:
    """The values that a column may have, by table and column, if they are few."""
    found: dict[str, dict[str, Sequence[str]]] = {}
    file = csv_file(marker.tables["codebook"])
    if file is None or not (folder / file).is_file():
        return found
    rows = rows_of(folder / file)
    _, header = next(rows, _NOTHING)
    for _, row in rows:
        said = dict(zip(header, row, strict=False))
        if said.get("values"):
            columns = found.setdefault(said.get("table", ""), {})
            columns[said.get("column", "")] = said["values"].split("; ")
    return found
