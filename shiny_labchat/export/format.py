"""
What a format of an export is: it writes the rows of tables.

A format gets the rows of each table as they are made, many at once: no table is ever whole in
memory. A value is a text, a whole number, a number, True or False, or None (missing); a time is the
number of microseconds since 1970 (UTC).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from shiny_labchat.export.columns import Column

__all__ = [
    "About",
    "Destination",
    "Format",
    "FormatEntry",
    "Row",
    "Sink",
    "Table",
]

Row = Sequence[Any]
"""The values of a row, one for each column."""


class Table(NamedTuple):
    """
    A table of an export.

    Parameters
    ----------
    name
        Its name: one of `columns.TABLES`, or ``answers-KIND``.
    columns
        Its columns, with one for each factor and so on.
    """

    name: str
    columns: Sequence[Column]


class Sink(Protocol):
    """Takes the rows of one table."""

    def write(self, rows: Sequence[Row]) -> None:
        """Take some rows, in order."""
        ...

    def close(self) -> None:
        """Write what is left; no row comes any more."""
        ...


@dataclass(frozen=True, slots=True)
class Destination:
    """
    Where a format writes to.

    Parameters
    ----------
    folder
        Its folder, which is there.
    root
        The folder of the whole export.
    is_excel_safe
        Whether cells that Excel would take for formulas are guarded.
    studies
        The names of the studies that are exported.
    """

    folder: Path
    root: Path
    is_excel_safe: bool = False
    studies: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class About:
    """
    What an export is, once all of its rows are written.

    Parameters
    ----------
    marker
        What ``labchat-export.json`` says, but for its tables.
    study
        What ``study.json`` says.
    tables
        The tables that were written, with their columns; the codebook has a row for each of these.
    """

    marker: Mapping[str, Any]
    study: Mapping[str, Any]
    tables: Sequence[Table]


class Format(Protocol):
    """Writes an export in one format."""

    def open(self, table: Table) -> Sink | None:
        """Begin a table; None: this format does not have it."""
        ...

    def finish(self, about: About) -> Mapping[str, Path]:
        """
        Write what only the end tells; all sinks are closed.

        Returns
        -------
        mapping of str to path
            By table, its file.
        """
        ...


class FormatEntry(NamedTuple):
    """
    A format that an export may have.

    Parameters
    ----------
    make
        Makes it for a destination.
    check
        Raises an ImportError, which says what to install, if it cannot be written here.
    has_folder
        Whether its files are in a folder of its name, and not at the top of the export.
    """

    make: Callable[[Destination], Format]
    check: Callable[[], None] = lambda: None
    has_folder: bool = False
