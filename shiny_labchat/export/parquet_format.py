"""
The format Parquet, which has the types of columns, and no question of what is missing.

Written by pyarrow, in groups of rows. It is heavy, so it is imported only when it is needed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

from shiny_labchat.export.format import About, Destination, Row, Table

__all__ = ["ParquetFormat", "check_parquet"]

GROUP = 50_000
"""Most rows in a group of rows: so many are in memory."""
GROUP_TEXT = 8_000_000
"""Most characters in a group of rows, about."""


def check_parquet() -> None:
    """
    Check that Parquet can be written here.

    Raises
    ------
    ImportError
        pyarrow is not installed.
    """
    try:
        import_module("pyarrow.parquet")
    except ImportError as exc:
        raise ImportError(
            "the format 'parquet' needs pyarrow: pip install 'shiny-labchat[parquet]'"
        ) from exc


class ParquetFormat:
    """
    One Parquet file for each table.

    Parameters
    ----------
    to
        Where to.
    """

    def __init__(self, to: Destination) -> None:
        self._to = to
        self._files: dict[str, Path] = {}

    def open(self, table: Table) -> _ParquetSink:
        """Begin a table."""
        path = self._files[table.name] = self._to.folder / f"{table.name}.parquet"
        return _ParquetSink(path, table)

    def finish(self, about: About) -> Mapping[str, Path]:
        """Its files, by table."""
        return self._files


class _ParquetSink:
    def __init__(self, path: Path, table: Table) -> None:
        self._arrow: Any = import_module("pyarrow")
        parquet: Any = import_module("pyarrow.parquet")
        types = _types(self._arrow)
        fields = [(column.name, types[column.type]) for column in table.columns]
        self._schema = self._arrow.schema(fields)
        self._writer = parquet.ParquetWriter(str(path), self._schema, compression="zstd")
        self._rows: list[Row] = []
        self._characters = 0

    def write(self, rows: Sequence[Row]) -> None:
        self._rows += rows
        self._characters += sum(
            len(value) for row in rows for value in row if isinstance(value, str)
        )
        if len(self._rows) >= GROUP or self._characters >= GROUP_TEXT:
            self._flush()

    def _flush(self) -> None:
        columns = zip(*self._rows, strict=True)
        arrays = [
            self._arrow.array(values, type=field.type)
            for field, values in zip(self._schema, columns, strict=True)
        ]
        self._writer.write_table(self._arrow.table(arrays, schema=self._schema))
        self._rows, self._characters = [], 0

    def close(self) -> None:
        if self._rows:
            self._flush()
        self._writer.close()


def _types(arrow: Any) -> dict[str, Any]:
    return {
        "text": arrow.string(),
        "integer": arrow.int64(),
        "number": arrow.float64(),
        "boolean": arrow.bool_(),
        "time": arrow.timestamp("us", tz="UTC"),
    }
