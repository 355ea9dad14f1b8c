"""Reading an export."""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, cast

import orjson

from shiny_labchat.errors import ExportError
from shiny_labchat.export.columns import CODEBOOK, ColumnType
from shiny_labchat.export.frames import Engine, frame_of, installed
from shiny_labchat.export.marker import Marker, differences, read_marker

__all__ = ["Export", "codebook_types", "read"]

CODEBOOK_TABLE = "codebook"
_ALL = "*"
"""The table of what the codebook says of all tables."""
_TOLD = 5
"""How many changed files an error names."""


def read(folder: str | os.PathLike[str], *, check: bool = False) -> Export:
    """
    Read an export; each table is an attribute: ``read("pilot-data").messages``.

    A table is a data frame of polars if it is installed, else of pandas. Ids and texts are text,
    whatever they look like ("NA", "null", "007", "1e5", "TRUE", or the empty text), a missing value
    is missing, times are in UTC with microseconds, and whole numbers stay whole where some are
    missing.

    Parameters
    ----------
    folder
        The folder of the export.
    check
        Whether to compare all files with their SHA-256 first, which reads all of them.

    Returns
    -------
    Export
        The tables, each of which is read when it is first asked for.

    Raises
    ------
    ExportError
        The folder has no export, or one of a newer version; a file was changed; or neither polars
        nor pandas is installed.

    Examples
    --------
    ::

        data = read("pilot-data")
        data.messages  # as an attribute
        data["answers-choice"]  # or by its name
    """
    path = Path(folder)
    marker = read_marker(path)
    if check:
        _check(path)
    return Export(path, marker, installed(path))


def _check(folder: Path) -> None:
    found = [f"{each.path} ({each.what})" for each in differences(folder)]
    if found:
        more = f" and {len(found) - _TOLD} more" if len(found) > _TOLD else ""
        raise ExportError(
            folder,
            f"it is not as it was exported: {', '.join(found[:_TOLD])}{more}. Export again, or "
            "read it without check=True",
        )


class Export:
    """
    The tables of an export, read when they are first asked for.

    Each is an attribute; a hyphen in its name is an underscore there (``answers_choice``).
    :func:`read` gives one.
    """

    def __init__(self, folder: Path, marker: Marker, engine: Engine) -> None:
        self._folder = folder
        self._marker = marker
        self._engine: Engine = engine
        self._names = {_attribute(name): name for name in marker.tables}
        self._types: Mapping[str, Mapping[str, ColumnType]] | None = None
        self._read: dict[str, Any] = {}

    @property
    def tables(self) -> tuple[str, ...]:
        """The names of its tables."""
        return tuple(self._marker.tables)

    def __getitem__(self, name: str) -> Any:
        if name not in self._marker.tables:
            raise KeyError(f"{self._folder} has no table {name!r}; it has: {self._known}")
        if name not in self._read:
            self._read[name] = self._frame(name)
        return self._read[name]

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name not in self._names:
            raise AttributeError(f"this export has no table {name!r}; it has: {self._known}")
        return self[self._names[name]]

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._names]

    def __iter__(self) -> Iterator[str]:
        return iter(self._marker.tables)

    def __len__(self) -> int:
        return len(self._marker.tables)

    def __repr__(self) -> str:
        return f"Export({str(self._folder)!r}: {self._known})"

    @property
    def _known(self) -> str:
        return ", ".join(self._marker.tables)

    def _frame(self, name: str) -> Any:
        if self._types is None:
            self._types = codebook_types(self._folder, self._marker)
        types = self._types.get(name)
        if types is None:
            raise ExportError(self._folder, f"its codebook does not know its table {name!r}")
        files = dict(self._marker.tables[name])
        if self._marker.excel_safe and len(files) > 1:
            files.pop("csv", None)  # what looks like a formula has a mark before it there
        paths = [self._folder / path for path in files.values()]
        there = [path for path in paths if path.is_file()]
        if not there:
            missing = ", ".join(path.name for path in paths)
            raise ExportError(self._folder, f"{missing} is missing; export again")
        return frame_of(there, types, self._engine)


def _attribute(table: str) -> str:
    return table.replace("-", "_")


def codebook_types(folder: Path, marker: Marker) -> Mapping[str, Mapping[str, ColumnType]]:
    """
    The type of each column of each table, in the order of the columns.

    Raises
    ------
    ExportError
        The export has no codebook.
    """
    types: dict[str, dict[str, ColumnType]] = {
        CODEBOOK_TABLE: {column.name: column.type for column in CODEBOOK}
    }
    for row in _codebook_rows(folder, marker):
        if row["table"] == _ALL:
            continue
        columns = types.setdefault(row["table"], {})
        columns[row["column"]] = cast(ColumnType, row["type"])
    return types


def _codebook_rows(folder: Path, marker: Marker) -> Iterator[Mapping[str, str]]:
    for path in marker.tables.get(CODEBOOK_TABLE, {}).values():
        found = folder / path
        if found.suffix == ".csv" and found.is_file():
            with found.open(encoding="utf-8-sig", newline="") as file:
                yield from csv.DictReader(file)
            return
        if found.suffix == ".jsonl" and found.is_file():
            yield from map(orjson.loads, found.read_bytes().splitlines())
            return
    raise ExportError(folder, "its codebook is missing; export again")
