"""Pieces of the report's page: sections, tables, and pictures beside their tables."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["figure", "folded", "section", "table"]

MOST_ROWS = 500
"""Most rows of a table; an export has all."""
LONGEST = 80
"""Most characters of a text in a table."""


def section(id: str, title: str, *parts: str) -> str:
    """A part of the page with a title."""
    return (
        f'<section aria-labelledby="{id}"><h2 id="{id}">{escape(title)}</h2>{"".join(parts)}'
        "</section>"
    )


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table; numbers are to the right. Wide ones are scrolled, by keyboard, too."""
    cells = "".join(f'<th scope="col"{_right(rows, k)}>{escape(name)}</th>'
                    for k, name in enumerate(head))  # fmt: skip
    body = "".join(_row(row) for row in rows[:MOST_ROWS])
    more = len(rows) - MOST_ROWS
    note = f"<p>{more:,} more rows are in the files of labchat export.</p>" if more > 0 else ""
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{escape(caption)}"><table>'
        f"<caption>{escape(caption)}</caption><thead><tr>{cells}</tr></thead>"
        f"<tbody>{body}</tbody></table></div>{note}"
    )


def _right(rows: Sequence[Sequence[object]], k: int) -> str:
    is_number = bool(rows) and isinstance(rows[0][k], int | float)
    return ' class="number"' if is_number else ""


def _row(row: Sequence[object]) -> str:
    first, *others = row
    cells = "".join(map(_cell, others))
    return f'<tr><th scope="row">{_words(str(first))}</th>{cells}</tr>'


def _cell(value: object) -> str:
    if isinstance(value, int | float):
        shown = f"{value:,}" if isinstance(value, int) else f"{value:,.2f}"
        return f'<td class="number">{shown}</td>'
    return f"<td>{_words(str(value))}</td>"


def _words(value: str) -> str:
    """A text that is shown up to a length, and whole on hovering."""
    if len(value) <= LONGEST:
        return escape(value)
    return f'<span title="{escape(value)}">{escape(value[: LONGEST - 1])}…</span>'


def folded(summary: str, content: str, *, is_open: bool) -> str:
    """Something that is shown when its summary is clicked; or at once."""
    return f"<details{' open' * is_open}><summary>{escape(summary)}</summary>{content}</details>"


def figure(picture: str, table: str) -> str:
    """A picture, and the table of all that it shows."""
    return (
        f'<figure><div class="wide" tabindex="0" role="group" aria-label="Picture">{picture}</div>'
        f"{folded('As a table', table, is_open=False)}</figure>"
    )
