"""Files of an export read row by row, so that memory does not grow with them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from importlib import import_module
from pathlib import Path
from typing import Any

import orjson

from shiny_labchat.errors import ExportError
from shiny_labchat.export.columns import Column, ColumnType
from shiny_labchat.export.format import Row
from shiny_labchat.export.parquet_format import check_parquet

__all__ = ["READABLE", "rows_of"]

BATCH = 500
"""Rows that are given together."""
Batches = Iterator[tuple[int, list[Row]]]
"""Some rows, and how many bytes of the file have been read."""

_CELL = re.compile(r'(?:"([^"]*(?:""[^"]*)*)"|([^,"]*))(?:,|$)')
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def rows_of(path: Path, columns: Sequence[Column]) -> Batches:
    """
    The rows of a table, batch by batch, each with how many bytes have been read.

    Times are microseconds since 1970 (UTC), as in the log; a missing value is None.

    Parameters
    ----------
    path
        The file, whose format is that of the name's end, one of `READABLE`.
    columns
        The columns that are wanted, in the order in which a row has them.

    Raises
    ------
    ExportError
        The file does not have these columns, or cannot be read.
    """
    try:
        yield from READABLE[path.suffix](path, columns)
    except (ValueError, KeyError, UnicodeDecodeError) as exc:
        raise ExportError(path, f"it cannot be read ({exc!r}); export again") from exc


# ── CSV ──────────────────────────────────────────────────────────────────────────────────────


def _of_csv(path: Path, columns: Sequence[Column]) -> Batches:
    with path.open("rb") as file:
        lines = _records(file)
        _, head = next(lines, (0, ""))
        names = _cells(head)
        places = [names.index(column.name) for column in columns]
        parsers = [_FROM_TEXT[column.type] for column in columns]
        rows: list[Row] = []
        read = 0
        for read, line in lines:
            cells = _cells(line)
            if len(cells) != len(names):
                raise ValueError(f"a row has {len(cells)} cells, not {len(names)}")
            given = ((cells[place], parse) for place, parse in zip(places, parsers, strict=True))
            rows.append(tuple(None if cell is None else parse(cell) for cell, parse in given))
            if len(rows) >= BATCH:
                yield read, rows
                rows = []
        yield read, rows


def _records(file: Iterator[bytes]) -> Iterator[tuple[int, str]]:
    """Each record without its end, and how many bytes have been read; a text may have lines."""
    waiting: list[bytes] = []
    read, is_open = 0, False
    for line in file:
        read += len(line)
        waiting.append(line)
        is_open ^= line.count(b'"') % 2 == 1
        if not is_open:
            yield read, b"".join(waiting).decode().removesuffix("\n")
            waiting = []
    if waiting:
        raise ValueError("a quote is not closed")


def _cells(record: str) -> list[str | None]:
    """The cells of a record; one that is empty and not quoted is missing."""
    cells: list[str | None] = []
    at, end = 0, len(record)
    while True:
        found = _CELL.match(record, at)
        if found is None:
            raise ValueError(f"a cell at character {at} of a row is not closed")
        quoted, plain = found.groups()
        cells.append((plain or None) if quoted is None else quoted.replace('""', '"'))
        at = found.end()
        if at == end and (not found[0].endswith(",")):
            return cells


def _time(text: str) -> int:
    return (datetime.fromisoformat(text) - _EPOCH) // _MICROSECOND


def _boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _text(text: str) -> str:
    return text


_FROM_TEXT: Mapping[ColumnType, Callable[[str], Any]] = {
    "text": _text,
    "integer": int,
    "number": float,
    "boolean": _boolean,
    "time": _time,
}

# ── JSON lines, Parquet ──────────────────────────────────────────────────────────────────────


def _of_jsonl(path: Path, columns: Sequence[Column]) -> Batches:
    names = [(column.name, column.type == "time") for column in columns]
    rows: list[Row] = []
    read = 0
    with path.open("rb") as file:
        for line in file:
            read += len(line)
            given = orjson.loads(line)
            values = ((given[name], is_time) for name, is_time in names)
            rows.append(
                tuple(_time(each) if is_time and each else each for each, is_time in values)
            )
            if len(rows) >= BATCH:
                yield read, rows
                rows = []
    yield read, rows


def _of_parquet(path: Path, columns: Sequence[Column]) -> Batches:
    check_parquet()
    parquet: Any = import_module("pyarrow.parquet")
    names = [column.name for column in columns]
    size, count = path.stat().st_size, 0
    with parquet.ParquetFile(str(path)) as file:
        total = file.metadata.num_rows
        for batch in file.iter_batches(batch_size=BATCH, columns=names):
            values = [_listed(batch.column(each.name), each.type) for each in columns]
            count += batch.num_rows
            yield size * count // max(total, 1), list(zip(*values, strict=True))
    yield size, []


def _listed(column: Any, type: ColumnType) -> list[Any]:
    return (column.cast("int64") if type == "time" else column).to_pylist()


READABLE: Mapping[str, Callable[[Path, Sequence[Column]], Batches]] = {
    ".jsonl": _of_jsonl,
    ".csv": _of_csv,
    ".parquet": _of_parquet,
}
"""By the end of a file's name, what reads it; the first that an export has is read."""
