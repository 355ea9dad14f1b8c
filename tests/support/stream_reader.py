"""Chunks of a stream, applied to a message as a page applies them."""

from __future__ import annotations

from typing import Any

__all__ = ["apply_chunks"]


def apply_chunks(
    parts: list[list[Any]], more: str | list[list[Any]], keep: int | None = None
) -> None:
    """Change the parts of a message as a frame of chunks says."""
    if keep is not None:
        _truncate(parts, keep)
    for kind, content in [["", more]] if isinstance(more, str) else more:
        if kind:
            parts.append([kind, content])
        else:
            parts[-1][1] += content


def _truncate(parts: list[list[Any]], units: int) -> None:
    for at, (kind, content) in enumerate(parts):
        if units == 0:
            del parts[at:]
            return
        if not isinstance(content, str):
            units -= 1
            continue
        text = content.encode("utf-16-le")[: 2 * units]
        units -= len(text) // 2
        parts[at] = [kind, text.decode("utf-16-le")]
    assert units == 0, "it was to keep more than it had"
