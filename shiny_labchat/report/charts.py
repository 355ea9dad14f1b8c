"""Bars in rows, and histograms, as SVG."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from shiny_labchat.report.svg import line, number, picture, rect, text

__all__ = ["Bar", "Histogram", "bars", "histogram", "histogram_of"]

WIDTH = 720.0
LABEL = 150.0
"""Room for the label of a bar, in pixels."""
FIGURE = 70.0
"""Room for the figure after a bar."""
ROW = 24.0
LEGEND = 26.0
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1_800, 3_600)
"""Widths of the bins of a histogram, in seconds; more are powers of ten."""
BINS = 24
"""Most bins of a histogram."""


class Bar(NamedTuple):
    """
    A bar in parts.

    Parameters
    ----------
    label
        What it is of.
    parts
        Of each part: its series, its value, and what is said on hovering.
    figure
        What stands after it.
    """

    label: str
    parts: Sequence[tuple[int, float, str]]
    figure: str


def bars(name: str, title: str, words: str, series: Mapping[int, str], rows: Sequence[Bar],
         most: float | None = None) -> str:  # fmt: skip
    """
    Bars, one a row, in parts.

    Parameters
    ----------
    name, title, words
        As in `picture`.
    series
        By its number, the name of each series; the class of its colour is ``c`` and the number.
    rows
        The bars.
    most
        The value of a bar that is as long as there is room; None: the largest one.
    """
    full = most or max((sum(value for _, value, _ in bar.parts) for bar in rows), default=0) or 1
    room = WIDTH - LABEL - FIGURE
    drawn = list(_legend(series))
    top = LEGEND if series else 4.0
    for k, bar in enumerate(rows):
        y, x = top + k * ROW, LABEL
        drawn.append(text(LABEL - 8, y + 15, bar.label, anchor="end", room=LABEL - 16))
        for kind, value, says in bar.parts:
            width = value / full * room
            drawn.append(rect(x, y + 3, width, ROW - 7, f"c{kind} edge", says=says, rounded=1))
            x += width
        drawn.append(text(x + 6, y + 15, bar.figure, css="faint", size=12))
    return picture(name, WIDTH, top + len(rows) * ROW + 4, title, words, drawn)


def _legend(series: Mapping[int, str]) -> Sequence[str]:
    drawn: list[str] = []
    most = (WIDTH - LABEL) / max(len(series), 1)
    x = LABEL
    for kind, name in series.items():
        room = min(most, 36 + 7.5 * len(name))
        drawn.append(rect(x, 4, 12, 12, f"c{kind}"))
        drawn.append(text(x + 17, 14.5, name, size=12, room=room - 24))
        x += room
    return drawn


class Histogram(NamedTuple):
    """
    How many values are in each of some bins of the same width.

    Parameters
    ----------
    width
        The width of a bin.
    counts
        How many values are in each bin, the first one from 0.
    """

    width: float
    counts: Sequence[int]


def histogram_of(values: Sequence[float]) -> Histogram:
    """Count values from 0 in bins, at most `BINS` of a round width."""
    largest = max(values, default=0)
    width = next((step for step in _STEPS if largest / step < BINS), None)
    if width is None:
        width = 3_600
        while largest / width >= BINS:
            width *= 10
    counts = [0] * (int(largest // width) + 1)
    for value in values:
        counts[int(max(value, 0) // width)] += 1
    return Histogram(width, counts)


def histogram(name: str, title: str, words: str, found: Histogram, unit: str) -> str:
    """Columns of a histogram, with how many are in each; `unit`: of the values."""
    left, height, top = 44.0, 150.0, 20.0
    room = WIDTH - left - 20
    step, most = room / len(found.counts), max(found.counts, default=0) or 1
    bottom = top + height
    drawn = [line(left, bottom, WIDTH - 20, bottom, "axis")]
    skip = 1 + len(found.counts) // 12
    for k, count in enumerate(found.counts):
        x, tall = left + k * step, count / most * height
        says = f"{number(k * found.width)} to {number((k + 1) * found.width)} {unit}: {count}"
        drawn.append(rect(x + 1, bottom - tall, step - 2, tall, "c0", says=says))
        if count:
            drawn.append(text(x + step / 2, bottom - tall - 4, number(count), anchor="middle",
                              size=11, css="faint"))  # fmt: skip
        if k % skip == 0:
            drawn.append(text(x, bottom + 16, number(k * found.width), anchor="middle", size=11))
    drawn.append(text(WIDTH - 20, bottom + 32, unit, anchor="end", size=11, css="faint"))
    return picture(name, WIDTH, bottom + 38, title, words, drawn)
