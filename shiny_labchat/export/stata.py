"""
A program for Stata that reads the CSV files of an export, with labels.

All columns are imported as text, so that "007" stays what it is, and those of numbers, times and
flags are converted then. Stata's names of variables have at most 32 letters, digits and
underscores, so some columns get another name; their label says what they are.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePath

from shiny_labchat.export.columns import Column

__all__ = ["do_file", "variable_names"]

_LONGEST_NAME = 32
_LONGEST_LABEL = 80
_RESERVED = frozenset(
    "_all _b _coef _cons _n _N _pi _pred _rc _skip byte double float if in int long str strL using "
    "with".split()
)

_HEAD = """\
* Reads an export of shiny_labchat into Stata (version 14 or newer), one .dta file for each table.
* Go to the folder of the export first:  cd "pilot-data"  and then:  do labchat.do
* Stata has no missing texts: a text that is missing becomes the empty text here. Its times have
* milliseconds, and are in UTC.
version 14
set more off
"""
_IMPORT = """
* {table}
clear
capture noisily import delimited using {path}, clear delimiters(",") ///
    varnames(nonames) rowrange(2) stringcols(_all) ///
    bindquote(strict) maxquotedrows(unlimited) encoding("UTF-8")
capture confirm variable v1  // a table without rows has none
if _rc == 0 {{
"""
_FLAG = """\
    generate byte labchat_new = cond({name} == "true", 1, cond({name} == "false", 0, .))
    order labchat_new, after({name})
    drop {name}
    rename labchat_new {name}
    label values {name} labchat_flag
"""
_TIME = """\
    generate str labchat_text = substr({name}, 1, 10) + " " + substr({name}, 12, 12)
    generate double labchat_new = clock(labchat_text, "YMDhms")
    drop labchat_text
    order labchat_new, after({name})
    drop {name}
    rename labchat_new {name}
    format {name} %tcCCYY-NN-DD!THH:MM:SS.sss
"""
_SAVE = """\
    label define labchat_flag 0 "false" 1 "true", replace
    compress
    save {path}, replace
}}
"""


def do_file(tables: Mapping[str, tuple[str, Sequence[Column]]]) -> str:
    """
    The program for an export.

    Parameters
    ----------
    tables
        For each table its CSV file, as a path in the export with slashes, and its columns.
    """
    return _HEAD + "".join(_import_of(name, *each) for name, each in tables.items())


def _import_of(table: str, path: str, columns: Sequence[Column]) -> str:
    names = variable_names([column.name for column in columns])
    lines = [f"    rename v{n} {name}\n" for n, name in enumerate(names, start=1)]
    lines += [_converted(*each) for each in zip(columns, names, strict=True)]
    lines += [_labelled(*each) for each in zip(columns, names, strict=True)]
    saved = _string(PurePath(path).with_suffix(".dta").name)
    head = _IMPORT.format(table=table, path=_string(path))
    return f"{head}{''.join(lines)}{_SAVE.format(path=saved)}"


def _converted(column: Column, name: str) -> str:
    match column.type:
        case "text":
            return ""
        case "boolean":
            return _FLAG.format(name=name)
        case "time":
            return _TIME.format(name=name)
        case "integer" | "number":
            return f"    destring {name}, replace\n"


def _labelled(column: Column, name: str) -> str:
    unit = f" ({column.unit})" if column.unit else ""
    said = column.meaning if column.name == name else f"{column.name}: {column.meaning}"
    label = _string(f"{said}{unit}"[:_LONGEST_LABEL])
    return f"    label variable {name} {label}\n    notes {name}: {_plain(said)}{unit}\n"


def _string(text: str) -> str:
    return f'"{_plain(text)}"'


def _plain(text: str) -> str:
    """A text without what Stata would take for a macro, or for the end of a text."""
    return re.sub(r"\s+", " ", text.replace("`", "").replace("$", "").replace('"', "'"))


def variable_names(columns: Sequence[str]) -> list[str]:
    """The names of columns as those of variables, each different from all others."""
    names: list[str] = []
    for column in columns:
        legal = re.sub(r"[^A-Za-z0-9_]", "_", column)
        if not legal or not re.match(r"[A-Za-z_]", legal) or legal in _RESERVED:
            legal = f"_{legal}"
        legal = legal[:_LONGEST_NAME]
        name, number = legal, 1
        while name in names or re.fullmatch(r"v\d+", name) or name.startswith("labchat_"):
            number += 1
            ending = f"_{number}"
            name = legal[: _LONGEST_NAME - len(ending)] + ending
        names.append(name)
    return names
