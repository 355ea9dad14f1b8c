"""The codebook of an export: a row for each column of each of its tables. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shiny_labchat.export.columns import CODEBOOK
from shiny_labchat.export.format import Table

__all__ = ["CODEBOOK_TABLE", "READING", "codebook_rows"]

CODEBOOK_TABLE = Table("codebook", CODEBOOK)

READING = (
    'Text is always quoted in CSV, and what is missing is empty and not quoted: "" is the empty '
    "text. pandas' plain read_csv takes texts such as NA, null, None, n/a and nan for missing, and "
    "numbers in text for numbers: read with shiny_labchat.export.read or read_labchat.R, which do "
    "not. Times are in UTC."
)
"""What the codebook says of all tables."""


def codebook_rows(tables: Iterable[Table]) -> list[tuple[str | None, ...]]:
    """The rows of the codebook of some tables."""
    rows: list[tuple[str | None, ...]] = [("*", "*", None, None, None, READING)]
    for table in tables:
        for column in table.columns:
            values = "; ".join(column.values) or None
            rows.append(
                (table.name, column.name, column.type, column.unit or None, values, column.meaning)
            )
    return rows
