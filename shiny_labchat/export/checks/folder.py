"""The rules that a folder is checked by: those of Psych-DS, of an export, or of both."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from shiny_labchat.errors import ExportError
from shiny_labchat.export.checks.description import DESCRIPTION
from shiny_labchat.export.checks.export import check_export
from shiny_labchat.export.checks.finding import Finding, error
from shiny_labchat.export.checks.psych_ds import check_psych_ds
from shiny_labchat.export.folder import MARKER
from shiny_labchat.export.marker import read_marker

__all__ = ["check_folder"]

PSYCH_DS = "psych-ds"


def check_folder(folder: Path) -> Iterator[Finding]:
    """
    What is wrong with a data set.

    An export is checked as one, and as a Psych-DS data set if it was exported as one. Any other
    folder is checked as a Psych-DS data set.

    Parameters
    ----------
    folder
        The folder of the data set.
    """
    if not folder.is_dir():
        yield error("no-folder", "", "there is no such folder", "Name the folder of the data set")
        return
    is_export = (folder / MARKER).is_file()
    if is_export:
        yield from check_export(folder)
    if not is_export or (folder / DESCRIPTION).is_file() or _was_psych_ds(folder):
        yield from check_psych_ds(folder)


def _was_psych_ds(folder: Path) -> bool:
    try:
        return PSYCH_DS in read_marker(folder).formats
    except ExportError:
        return False
