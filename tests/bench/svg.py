"""Pieces of plain SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

__all__ = ["FAINT", "svg", "text"]

FAINT = "#656d76"
"""The colour of what is only said beside the rest."""


def svg(parts: Sequence[str], width: int, height: int, title: str, words: str) -> str:
    """
    A picture of some parts; `words` says all that they show, for who cannot see them.

    It has a ground of its own, so that it can be read in a light page and in a dark one.
    """
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
            f'width="{width}" height="{height}" role="img" aria-labelledby="title desc" '
            'font-family="system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif">',
            f'<title id="title">{escape(title)}</title>',
            f'<desc id="desc">{escape(words)}</desc>',
            f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8" '
            'fill="#ffffff" stroke="#d0d7de"/>',
            *parts,
            "</svg>",
            "",
        ]
    )


def text(
    x: float,
    y: float,
    words: str,
    *,
    size: int = 13,
    anchor: str = "start",
    weight: int = 400,
    fill: str = "#1f2328",
) -> str:
    """Some words at a place."""
    return (
        f'<text x="{x:g}" y="{y:g}" font-size="{size}" font-weight="{weight}" fill="{fill}" '
        f'text-anchor="{anchor}">{escape(words)}</text>'
    )
