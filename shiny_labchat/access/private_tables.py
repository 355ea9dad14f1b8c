"""Tables of what only the experimenter may read: in new files of their own, or printed."""

from __future__ import annotations

import csv
import os
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TextIO

__all__ = ["check_new_table", "check_parent", "write_rows"]


def check_new_table(table: str, why: str) -> None:
    """
    Check that a file for a table can be made; ``-`` needs none.

    Raises
    ------
    ValueError
        There is such a file already (`why` says why it stays), or there is no folder for it.
    """
    if table == "-":
        return
    path = Path(table)
    if path.exists():
        raise ValueError(f"{path} is there already; name a new file, {why}")
    check_parent(path)


def check_parent(path: Path) -> None:
    """Check that there is a folder for a new file or folder."""
    if not path.absolute().parent.is_dir():
        raise ValueError(f"there is no folder {path.absolute().parent}; make it first")


def write_rows(table: str, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write a table to a new file that only its owner may read, or print it for ``-``."""
    if table == "-":
        _write(sys.stdout, head, rows)
        return
    new = os.open(table, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(new, "w", encoding="utf-8", newline="") as file:
        _write(file, head, rows)


def _write(file: TextIO, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
