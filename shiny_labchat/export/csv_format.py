"""
The format CSV: text is always quoted, what is missing is empty and is not.

So the empty text and a missing one differ, and no reader has to guess what is text. Lines end in
LF, and the file is UTF-8.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

from shiny_labchat.export.columns import Column, ColumnType
from shiny_labchat.export.format import About, Destination, Row, Table
from shiny_labchat.export.times import Times

__all__ = ["CsvFormat", "CsvSink", "cells_of", "csv_lines", "quoted"]

BOM = b"\xef\xbb\xbf"
"""Says to Excel that a file is UTF-8."""
_FORMULA = "=+-@\t\r"
"""What Excel takes for the beginning of a formula, or skips before one."""
FEW, SAMPLE = 8, 64
"""A column that has at most so many different texts among its first ones has few at all."""


class CsvFormat:
    """
    One CSV file for each table.

    Parameters
    ----------
    to
        Where to.
    """

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._files: dict[str, Path] = {}

    def open(self, table: Table) -> CsvSink:
        """Begin a table."""
        path = self._files[table.name] = self._to.folder / f"{table.name}.csv"
        return CsvSink(path.open("wb"), table.columns, is_excel_safe=self._to.is_excel_safe)

    def finish(self, about: About) -> Mapping[str, Path]:
        """Its files, by table."""
        return self._files


class CsvSink:
    """
    Writes the rows of a table to a binary file.

    Parameters
    ----------
    file
        The file; it is closed with the sink.
    columns
        The table's columns.
    is_excel_safe
        Whether cells that Excel would take for formulas are guarded.
    """

    def __init__(
        self, file: BinaryIO, columns: Sequence[Column], *, is_excel_safe: bool = False
    ) -> None:
        self._file = file
        self._types: list[ColumnType] = [column.type for column in columns]
        self._quote = _guarded if is_excel_safe else quoted
        self._times = Times()
        head = ",".join(self._quote(column.name) for column in columns)
        file.write((BOM if is_excel_safe else b"") + head.encode() + b"\n")

    def write(self, rows: Sequence[Row]) -> None:
        """Write some rows."""
        if rows:
            lines = csv_lines(self._types, rows, self._times, self._quote)
            self._file.write(("\n".join(lines) + "\n").encode())

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def csv_lines(
    types: Sequence[ColumnType], rows: Sequence[Row], times: Times, quote: Callable[[str], str]
) -> Iterable[str]:
    """The lines of some rows; they are made column by column, which is faster."""
    columns = zip(*rows, strict=True)
    cells = [cells_of(*each, times, quote) for each in zip(types, columns, strict=True)]
    return map(",".join, zip(*cells, strict=True))


def cells_of(
    type: ColumnType, values: Sequence[Any], times: Times, quote: Callable[[str], str]
) -> Sequence[str]:
    """The cells of one column of some rows."""
    missing = values.count(None)
    if missing == len(values):
        return [""] * missing
    match type:
        case "text":
            return _text_cells(values, quote, bool(missing))
        case "time":
            return cast("list[str]", times.texts(values, ""))
        case "boolean":
            return [_BOOLEANS[value] for value in values]
        case "integer" | "number":
            if missing:
                return ["" if value is None else repr(value) for value in values]
            return list(map(repr, values))


_BOOLEANS = {True: "true", False: "false", None: ""}


def _text_cells(values: Sequence[Any], quote: Callable[[str], str], has_missing: bool) -> list[str]:
    if len(set(values[:SAMPLE])) <= FEW:
        known = {value: "" if value is None else quote(value) for value in set(values)}
        return [known[value] for value in values]
    if has_missing or quote is not quoted:
        return ["" if value is None else quote(value) for value in values]
    return ['"' + value.replace('"', '""') + '"' for value in values]


def quoted(text: str) -> str:
    """A text as a cell."""
    return '"' + text.replace('"', '""') + '"'


def _guarded(text: str) -> str:
    """A text as a cell that Excel does not take for a formula."""
    return quoted(f"'{text}" if text[:1] in _FORMULA and text else text)
