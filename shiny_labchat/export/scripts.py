"""The programs that an export has with it, for those who read it with R or Stata."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files as files_of_package
from pathlib import Path

from shiny_labchat.export.columns import Column
from shiny_labchat.export.format import Table
from shiny_labchat.export.stata import do_file

__all__ = ["csv_file", "write_scripts"]

R_FILE, STATA_FILE = "read_labchat.R", "labchat.do"


def write_scripts(
    folder: Path, root: Path, files: Mapping[str, Mapping[str, str]], tables: Sequence[Table]
) -> None:
    """
    Write the programs that read an export.

    Parameters
    ----------
    folder
        The folder for them.
    root
        The folder of the export.
    files
        By table and format, its files, as paths in the export.
    tables
        The tables, with their columns.
    """
    text = files_of_package("shiny_labchat.export").joinpath(R_FILE).read_bytes()
    (folder / R_FILE).write_bytes(text)
    found: dict[str, tuple[str, Sequence[Column]]] = {}
    for table in tables:
        path = csv_file(files.get(table.name, {}))
        if path is not None:
            found[table.name] = path, table.columns
    (folder / STATA_FILE).write_bytes(do_file(found).encode())


def csv_file(files: Mapping[str, str]) -> str | None:
    """
    The CSV file of a table, as a path in its export; None: it has none.

    That of a Psych-DS data set is taken first: its texts are never guarded against formulas.
    """
    found = [path for name, path in files.items() if name != "csv" and path.endswith(".csv")]
    return found[0] if found else files.get("csv")
