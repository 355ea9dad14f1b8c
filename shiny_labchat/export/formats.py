"""The formats of an export, by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import cast

from shiny_labchat.arguments import did_you_mean
from shiny_labchat.export.convokit import ConvoKitFormat
from shiny_labchat.export.csv_format import CsvFormat
from shiny_labchat.export.format import FormatEntry
from shiny_labchat.export.json_format import JsonLinesFormat
from shiny_labchat.export.parquet_format import ParquetFormat, check_parquet
from shiny_labchat.export.plain_text import TextFormat
from shiny_labchat.export.psych_ds import PsychDsFormat

__all__ = ["FORMATS", "PSYCH_DS", "as_formats"]

PSYCH_DS = "psych-ds"
"""The format with which all others go into folders of their own, under ``products``."""

FORMATS: Mapping[str, FormatEntry] = MappingProxyType(
    {
        "csv": FormatEntry(CsvFormat),
        "jsonl": FormatEntry(JsonLinesFormat),
        "parquet": FormatEntry(ParquetFormat, check_parquet),
        "convokit": FormatEntry(ConvoKitFormat, has_folder=True),
        PSYCH_DS: FormatEntry(PsychDsFormat),
        "text": FormatEntry(TextFormat, has_folder=True),
    }
)
"""All formats."""


def as_formats(formats: object) -> tuple[str, ...]:
    """
    Check the argument `formats`; return their names, each once.

    Parameters
    ----------
    formats
        The names of formats.

    Raises
    ------
    TypeError
        They are not several names.
    ValueError
        There is none, or one is unknown.
    """
    if isinstance(formats, str) or not isinstance(formats, Sequence):
        raise TypeError(f"formats must be several names, such as ('csv',), not {formats!r}")
    names = tuple(dict.fromkeys(cast("Sequence[str]", formats)))
    if not names:
        raise ValueError("formats must name at least one format, such as 'csv'")
    for name in names:
        if name not in FORMATS:
            raise ValueError(
                f"formats has {name!r}{did_you_mean(str(name), FORMATS)} The formats are: "
                f"{', '.join(FORMATS)}"
            )
    return names
