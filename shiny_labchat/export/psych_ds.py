"""
The format Psych-DS: a data set as psychologists share it, at the top of an export.

It follows version 1.5 of the schema at https://psych-ds.github.io. All other formats go into
folders under ``products``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import orjson

from shiny_labchat.export.columns import Column
from shiny_labchat.export.csv_format import CsvSink
from shiny_labchat.export.format import About, Destination, Table

__all__ = ["DATA", "DESCRIPTION", "IGNORE", "PsychDsFormat", "keyword_value", "variables"]

DATA = "data"
"""The folder of the data files."""
DESCRIPTION = "dataset_description.json"
"""The file that describes the data set and all columns of its data files."""
IGNORE = ".psychds-ignore"
"""Names what is in the folder and not of the data set."""
_IGNORED = ("products/", "labchat-export.json", "SHA256SUMS", "study.json", "codebook.csv")
_CODEBOOK = "codebook"

_KEYS = {
    "messages": "row_id",
    "members": "study, member, room",
    "rooms": "study, room",
    "payments": "study, member, kind, key, at",
    "events": "study, log, room, seq",
    "bot_calls": "study, room, call",
    "flow": "study, condition, step",
    "changes": "row_id",
    "answers": "study, log, room, seq, field",
}
"""The columns that tell each row of a table from all others."""
_KEYS_OF_WIDE = "study, log, room, seq"

_README = """\
# {name}

{description}

## Files

{files}

`dataset_description.json` says what each column means, and so does `products/codebook.csv`, with
its type. In the CSV files texts are quoted and what is missing is not, so that the empty text ("")
is not a missing value, and the text "NA" is a text. Programs that guess types do not keep them
apart; `read_labchat.R` and `shiny_labchat.export.read` do. Times are in UTC.

What is under `products` is the same data in other formats.
"""
_CHANGES = """\
# Changes

- The data as shiny_labchat exported them. Note here what you change afterwards.
"""


class PsychDsFormat:
    """
    A data set in the form that Psych-DS asks for.

    Parameters
    ----------
    to
        Where to: it writes to the export's own folder.
    """

    def __init__(self, to: Destination) -> None:
        self._root = to.root
        self._study = keyword_value("-".join(to.studies)) or "study"
        self._files: dict[str, Path] = {}

    def open(self, table: Table) -> CsvSink | None:
        """Begin a table."""
        if table.name == _CODEBOOK:
            return None
        folder = self._root / DATA
        folder.mkdir(exist_ok=True)
        path = self._files[table.name] = folder / self._file_of(table.name)
        return CsvSink(path.open("wb"), table.columns)

    def finish(self, about: About) -> Mapping[str, Path]:
        """Its files, by table."""
        tables = [table for table in about.tables if table.name in self._files]
        described = _description(about.marker, tables)
        text = orjson.dumps(described, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)
        (self._root / DESCRIPTION).write_bytes(text)
        files = {table.name: self._files[table.name].name for table in tables}
        self._write("README.md", _readme(described["name"], described["description"], files))
        self._write("CHANGES.md", _CHANGES)
        self._write(IGNORE, "".join(f"{each}\n" for each in _IGNORED))
        return self._files

    def _file_of(self, table: str) -> str:
        """The name of a table's file; two tables whose names are alike get two names."""
        taken = {path.name for path in self._files.values()}
        value = keyword_value(table)
        name, number = f"study-{self._study}_description-{value}_data.csv", 1
        while name in taken:
            number += 1
            name = f"study-{self._study}_description-{value}{number}_data.csv"
        return name

    def _write(self, name: str, text: str) -> None:
        (self._root / name).write_text(text, encoding="utf-8", newline="\n")


def keyword_value(name: str) -> str:
    """A name as the value of a keyword in a file's name: letters and digits of ASCII only."""
    first, *others = re.split(r"[^a-zA-Z0-9]+", name)
    return first + "".join(each[:1].upper() + each[1:] for each in others)


def _description(marker: Mapping[str, Any], tables: Sequence[Table]) -> dict[str, Any]:
    studies: Sequence[str] = marker.get("studies") or ()
    name = ", ".join(studies) or "study"
    which = "study" if len(studies) < 2 else "studies"
    said = f"Group chats of the {which} {name}, with their people, rooms, answers and payments."
    more = {
        "anonymised": " Ids of people were drawn anew for this data set.",
        "public": " Who did not agree to share their words is blanked.",
    }
    said += "".join(text for key, text in more.items() if marker.get(key))
    return {
        "@context": "https://schema.org/",
        "@type": "Dataset",
        "name": name,
        "description": f"{said} Exported by shiny_labchat.",
        "schemaVersion": "Psych-DS 1.5.0",
        "variableMeasured": variables(tables),
    }


def variables(tables: Sequence[Table]) -> list[dict[str, str]]:
    """
    What is measured: each name of a column once, as a PropertyValue of schema.org.

    Psych-DS has one meaning for a name in all files. If it means something else in two tables, it
    says so for each.
    """
    found: dict[str, dict[str, list[str]]] = {}
    units: dict[str, str] = {}
    for table in tables:
        for column in table.columns:
            found.setdefault(column.name, {}).setdefault(_said(column), []).append(table.name)
            units.setdefault(column.name, column.unit)
    return [_variable(name, meanings, units[name]) for name, meanings in found.items()]


def _variable(name: str, meanings: Mapping[str, Sequence[str]], unit: str) -> dict[str, str]:
    texts = list(meanings)
    if len(texts) > 1:
        texts = [f"In {', '.join(tables)}: {said}" for said, tables in meanings.items()]
    variable = {"@type": "PropertyValue", "name": name, "description": " ".join(texts)}
    return variable | ({"unitText": unit} if unit else {})


def _said(column: Column) -> str:
    values = f" One of: {', '.join(column.values)}." if column.values else ""
    return column.meaning + values


def _readme(name: str, description: str, files: Mapping[str, str]) -> str:
    lines = [
        f"- `{DATA}/{file}` ({table}): a row is told from others by "
        f"{_KEYS.get(table, _KEYS_OF_WIDE)}"
        for table, file in files.items()
    ]
    return _README.format(name=name, description=description, files="\n".join(lines))
