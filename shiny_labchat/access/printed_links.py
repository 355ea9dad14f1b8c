"""Personal links as people hand them out: a line each, a table, or QR codes."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import segno

from shiny_labchat.access.private_tables import check_new_table, check_parent, write_rows

__all__ = ["check_new", "write_codes", "write_links"]

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
    if table is not None:
        check_new_table(table, "as links cannot be printed again")
    if codes is not None:
        if codes.exists() and any(codes.iterdir()):
            raise ValueError(f"the folder {codes} is not empty; name a new one")
        check_parent(codes)


def write_links(table: str, made: Sequence[tuple[str, str]]) -> None:
    """Write links to a file that only its owner may read, or print them for ``-``."""
    write_rows(table, ("member", "url"), made)


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
