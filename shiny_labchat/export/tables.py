"""The tables of an export, each written in all formats at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from shiny_labchat.export.format import Format, Row, Sink, Table

__all__ = ["Rows", "Tables"]

BATCH = 1_000
"""Rows that are written together."""


class Rows:
    """
    Takes the rows of one table, and gives them to the sinks of all formats.

    Parameters
    ----------
    sinks
        The sinks.

    Attributes
    ----------
    count
        How many rows there were.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self.count = 0
        self._sinks = sinks
        self._waiting: list[Row] = []

    def add(self, row: Row) -> None:
        """Take a row."""
        self._waiting.append(row)
        if len(self._waiting) >= BATCH:
            self.flush()

    def extend(self, rows: Sequence[Row]) -> None:
        """Take some rows."""
        self._waiting += rows
        if len(self._waiting) >= BATCH:
            self.flush()

    def flush(self) -> None:
        """Write what has come."""
        rows, self._waiting = self._waiting, []
        self.count += len(rows)
        if rows:
            for sink in self._sinks:
                sink.write(rows)

    def close(self) -> None:
        """Write what is left."""
        self.flush()
        for sink in self._sinks:
            sink.close()


class Tables:
    """
    The tables of an export.

    Parameters
    ----------
    formats
        By name, the formats.
    only
        The names of the tables that are wanted; None: all.
    """

    def __init__(self, formats: Mapping[str, Format], only: Sequence[str] | None = None) -> None:
        self.made: list[Table] = []
        self._formats = formats
        self._only = only
        self._rows: dict[str, Rows] = {}

    def rows(self, table: Table) -> Rows:
        """Take the rows of a table from now on; those of one that is not wanted are lost."""
        if self._only is not None and table.name not in self._only:
            return Rows(())
        self.made.append(table)
        sinks = [sink for each in self._formats.values() if (sink := each.open(table)) is not None]
        rows = self._rows[table.name] = Rows(sinks)
        return rows

    def close(self) -> dict[str, int]:
        """Write what is left; how many rows each table has."""
        for rows in self._rows.values():
            rows.close()
        return {name: rows.count for name, rows in self._rows.items()}
