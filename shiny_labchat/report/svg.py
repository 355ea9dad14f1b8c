"""Pieces of plain SVG, coloured by the classes of the page's style sheet."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["COLOURS", "line", "number", "picture", "rect", "shortened", "text"]

COLOURS = 6
"""How many colours there are for series: the classes ``c0`` to ``c5``."""
_WIDTH_OF_CHARACTER = 0.62
"""The mean width of a character, of the size of the letters; an estimate that is rather wide."""


def picture(name: str, width: float, height: float, title: str, words: str,
            parts: Sequence[str]) -> str:  # fmt: skip
    """
    A picture of some parts.

    Parameters
    ----------
    name
        Its name, which no other picture of the page has.
    width, height
        Its size, in pixels; it is shown as wide as there is room.
    title, words
        What it is, and what it shows, for those who cannot see it. A table has all numbers.
    parts
        The pieces.
    """
    return (
        f'<svg viewBox="0 0 {width:g} {height:g}" style="max-width:{width:g}px" role="img" '
        f'aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{escape(title)}</title>'
        f'<desc id="{name}-desc">{escape(words)}</desc>{"".join(parts)}</svg>'
    )


def text(x: float, y: float, words: str, *, css: str = "", anchor: str = "start",
         size: float = 13, room: float | None = None) -> str:  # fmt: skip
    """
    Some words at a place.

    `room`: how wide they may be, in pixels; what does not fit is left out, and shown on hovering.
    """
    shown = words if room is None else shortened(words, room, size)
    hover = "" if shown == words else f"<title>{escape(words)}</title>"
    kind = f' class="{css}"' if css else ""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size:g}" text-anchor="{anchor}"{kind}>'
        f"{escape(shown)}{hover}</text>"
    )


def shortened(words: str, room: float, size: float = 13) -> str:
    """As many characters as have room, in pixels, with an ellipsis for the others."""
    most = max(1, int(room / (size * _WIDTH_OF_CHARACTER)))
    return words if len(words) <= most else f"{words[: most - 1].rstrip()}…"


def rect(x: float, y: float, width: float, height: float, css: str, *, says: str = "",
         rounded: float = 2, opacity: float | None = None) -> str:  # fmt: skip
    """A rectangle; `says` is shown on hovering."""
    faint = "" if opacity is None else f' fill-opacity="{opacity:.2f}"'
    shape = (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(width, 0):.1f}" height="{max(height, 0):.1f}" '
        f'rx="{rounded:g}" class="{css}"{faint}'
    )
    return f"{shape}><title>{escape(says)}</title></rect>" if says else f"{shape}/>"


def line(x1: float, y1: float, x2: float, y2: float, css: str) -> str:
    """A straight line."""
    return f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" class="{css}"/>'


def number(value: float) -> str:
    """A number as it is shown: whole ones with commas, others with one or two digits more."""
    if value == int(value):
        return f"{int(value):,}"
    return f"{value:,.1f}" if abs(value) >= 10 else f"{value:,.2f}"
