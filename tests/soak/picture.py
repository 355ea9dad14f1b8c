"""A server's memory and its write-ahead log over time: plain SVG, in lines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.bench.svg import FAINT, svg, text
from tests.soak.samples import Sample
from tests.soak.verdict import LARGEST_WAL

__all__ = ["picture"]

WIDTH, HEIGHT = 760, 150
"""Of the whole picture; of one panel."""
LEFT, RIGHT, TOP = 64, 24, 44
"""Room for the scale, beside a panel, and for its title."""


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    color: str
    value: Callable[[Sample], float]
    limit: float | None = None


_PANELS = (
    _Panel("Memory of the server, MB", "#1f6feb", lambda sample: sample.memory),
    _Panel("Write-ahead log, MB", "#d4a72c", lambda sample: sample.wal, LARGEST_WAL),
)


def picture(samples: Sequence[Sample]) -> str:
    """Memory and the write-ahead log, each from zero."""
    parts = [
        drawn
        for k, panel in enumerate(_PANELS)
        for drawn in _drawn(panel, samples, TOP + k * (HEIGHT + TOP))
    ]
    height = len(_PANELS) * (HEIGHT + TOP) + TOP
    minutes = f"{samples[-1].at / 60:g} minutes"
    parts.append(text(WIDTH - RIGHT, height - 20, minutes, size=11, anchor="end", fill=FAINT))
    words = " ".join(_said(panel, samples) for panel in _PANELS)
    return svg(parts, WIDTH, height, f"A server for {minutes}", words)


def _drawn(panel: _Panel, samples: Sequence[Sample], top: float) -> list[str]:
    values = [panel.value(sample) for sample in samples]
    most = max([*values, panel.limit or 0.0, 1.0])

    def height(value: float) -> float:
        return top + HEIGHT * (1 - value / most)

    def place(sample: Sample) -> float:
        return LEFT + (WIDTH - LEFT - RIGHT) * sample.at / samples[-1].at

    points = " ".join(f"{place(each):.1f},{height(panel.value(each)):.1f}" for each in samples)
    marks = [0.0, max(values), *([] if panel.limit is None else [panel.limit])]
    return [
        text(24, top - 16, panel.title, weight=600),
        *(_mark(height(mark), mark) for mark in marks),
        f'<polyline points="{points}" fill="none" stroke="{panel.color}" stroke-width="2"/>',
    ]


def _mark(y: float, value: float) -> str:
    line = (
        f'<line x1="{LEFT}" y1="{y:.1f}" x2="{WIDTH - RIGHT}" y2="{y:.1f}" '
        'stroke="#d8dee4" stroke-dasharray="2 3"/>'
    )
    return line + "\n" + text(LEFT - 8, y + 4, f"{value:,.0f}", size=11, anchor="end", fill=FAINT)


def _said(panel: _Panel, samples: Sequence[Sample]) -> str:
    values = [panel.value(sample) for sample in samples]
    return f"{panel.title}: from {values[0]:.0f} to {values[-1]:.0f}, at most {max(values):.0f}."
