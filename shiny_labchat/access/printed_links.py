"""Personal links as people hand them out: a line each, a table, or QR codes."""

from __future__ import annotations

import csv
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

import segno

__all__ = ["check_new", "write_codes", "write_table"]

PNG_SCALE = 8
"""Pixels of a QR code's square: a link then has about 400 pixels."""


def check_new(table: str | None, codes: Path | None) -> None:
    """
    Check that a file and a folder of links can be made.

    Raises
    ------
    ValueError
        There is such a file already, the folder is not empty, or has no folder to be in.
    """
    for path in [] if table in (None, "-") else [Path(table or "")]:
        if path.exists():
            raise ValueError(
                f"{path} is there already; name a new file, as links cannot be printed again"
            )
        _check_parent(path)
    if codes is not None:
        if codes.exists() and any(codes.iterdir()):
            raise ValueError(f"the folder {codes} is not empty; name a new one")
        _check_parent(codes)


def _check_parent(path: Path) -> None:
    if not path.absolute().parent.is_dir():
        raise ValueError(f"there is no folder {path.absolute().parent}; make it first")


def write_table(table: str, made: Sequence[tuple[str, str]]) -> None:
    """Write links to a file that only its owner may read, or print them for ``-``."""
    if table == "-":
        _write_rows(sys.stdout, made)
        return
    new = os.open(table, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
    with os.fdopen(new, "w", encoding="utf-8", newline="") as file:
        _write_rows(file, made)


def _write_rows(file: TextIO, made: Sequence[tuple[str, str]]) -> None:
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(("member", "url"))
    writer.writerows(made)


def write_codes(codes: Path, made: Sequence[tuple[str, str]]) -> None:
    """Draw each link as a QR code, as PNG and SVG, in a folder that only its owner may read."""
    codes.mkdir(mode=0o700, exist_ok=True)
    width = len(str(len(made)))
    for n, (member, url) in enumerate(made, start=1):
        code = segno.make(url, error="m", micro=False)
        path = codes / f"{n:0{width}}-{_in_file_name(member)}"
        code.save(f"{path}.png", scale=PNG_SCALE)
        code.save(f"{path}.svg", scale=PNG_SCALE, light="#fff")


def _in_file_name(member: str) -> str:
    """A member's id as every file system takes it; the number before it tells ids apart."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", member)[:60]
