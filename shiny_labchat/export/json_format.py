"""The format JSON lines: an object on each line, which has all columns; what is missing is null."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

import orjson

from shiny_labchat.export.format import About, Destination, Row, Table
from shiny_labchat.export.times import Times

__all__ = ["JsonLinesFormat"]


class JsonLinesFormat:
    """
    One file of JSON lines for each table.

    Parameters
    ----------
    to
        Where to.
    """

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._files: dict[str, Path] = {}

    def open(self, table: Table) -> _JsonLinesSink:
        """Begin a table."""
        path = self._files[table.name] = self._to.folder / f"{table.name}.jsonl"
        return _JsonLinesSink(path.open("wb"), table)

    def finish(self, about: About) -> Mapping[str, Path]:
        """Its files, by table."""
        return self._files


class _JsonLinesSink:
    def __init__(self, file: BinaryIO, table: Table) -> None:
        self._file = file
        self._names = [column.name for column in table.columns]
        self._times = {n for n, column in enumerate(table.columns) if column.type == "time"}
        self._texts = Times()

    def write(self, rows: Sequence[Row]) -> None:
        if not rows:
            return
        columns: list[Sequence[Any]] = [
            self._texts.texts(values, None) if n in self._times else values
            for n, values in enumerate(zip(*rows, strict=True))
        ]
        names, dumps = self._names, orjson.dumps
        lines = [
            dumps(dict(zip(names, row, strict=True)), option=orjson.OPT_APPEND_NEWLINE)
            for row in zip(*columns, strict=True)
        ]
        self._file.write(b"".join(lines))

    def close(self) -> None:
        self._file.close()
