"""Reads CSV without importing anything of ours: a missing cell is None, and "" is not."""

from __future__ import annotations

from pathlib import Path

__all__ = ["cells", "table"]


def cells(text: str) -> list[list[str | None]]:
    """The cells of each line."""
    rows: list[list[str | None]] = []
    row: list[str | None] = []
    at = 0
    while at < len(text):
        if text[at] == '"':
            said, at = _quoted(text, at + 1)
            row.append(said)
        else:
            end = at
            while text[end] not in ",\n":
                end += 1
            row.append(text[at:end] or None)
            at = end
        if text[at] == "\n":
            rows.append(row)
            row = []
        at += 1
        if text[at - 1] == "," and (at == len(text) or text[at] == "\n"):
            row.append(None)
            rows.append(row)
            row = []
            at += 1
    return rows


def _quoted(text: str, at: int) -> tuple[str, int]:
    said = ""
    while True:
        end = text.index('"', at)
        said += text[at:end]
        if text[end + 1 : end + 2] != '"':
            return said, end + 1
        said += '"'
        at = end + 2


def table(path: Path) -> list[dict[str, str | None]]:
    """The rows of a table, by its columns."""
    head, *rows = cells(path.read_bytes().decode())
    for row in rows:
        assert len(row) == len(head), row
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]
