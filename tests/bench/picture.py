"""One picture of the conversation in one room, for the README: plain SVG, in bars."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.bench.report import medians
from tests.bench.results import Result
from tests.bench.scenarios.fanout import COMPRESSED, FANOUT
from tests.bench.scenarios.streams import STREAMS
from tests.bench.svg import FAINT, svg, text

__all__ = ["picture"]

WIDTH = 760
LEFT = 104
RIGHT = 92
"""Room for a bar's label, and for its figure."""
BAR = 15
GAP = 12
PANEL = 64
"""Above each panel, in pixels: its title and its scale."""
TITLE = "How fast a message reaches everybody in one room"
SIDES = {
    "ours": ("#1f6feb", "ours: on the disk before anybody sees it"),
    "bare": ("#8c959f", "bare: a websocket broadcast that stores nothing"),
    "direct": ("#d4a72c", "direct: Shiny's custom messages"),
    "naive": ("#cf6679", "naive: shared reactive.Value + shinychat"),
}
"""A colour and a name for each, in the order of the bars."""


@dataclass(frozen=True, slots=True)
class _Panel:
    title: str
    scenario: str
    key: str
    shown: Callable[[float], str]
    marks: tuple[float, ...]


def _in_ms(value: float) -> str:
    return f"{value:,.1f} ms" if value < 100 else f"{value:,.0f} ms"


_PANELS = (
    _Panel(
        "Burst: deliveries per second (longer is better)",
        FANOUT.name,
        "burst",
        lambda value: f"{value:,.0f}",
        (1_000, 10_000, 100_000, 1_000_000),
    ),
    _Panel(
        "Steady talk: median delay (shorter is better)",
        FANOUT.name,
        "p50",
        _in_ms,
        (1, 10, 100, 1_000),
    ),
    _Panel(
        "Talk while two streams run: median delay (shorter is better)",
        STREAMS.name,
        "p50",
        _in_ms,
        (1, 10, 100, 1_000),
    ),
)


def picture(results: Sequence[Result]) -> str:
    """
    Bars of all sides at each number of people, on logarithmic scales; of what was measured.

    It has a ground of its own, so that it can be read in a light page and in a dark one.
    """
    found = [(panel, bars) for panel in _PANELS if (bars := _bars(panel, results))]
    parts = [
        _legend(),
        text(WIDTH - 24, 88, "logarithmic scales", size=11, anchor="end", fill=FAINT),
    ]
    y = 62
    for panel, bars in found:
        drawn, y = _panel(panel, bars, y)
        parts += drawn
    return svg(parts, WIDTH, y + 8, TITLE, _words(found))


def _bars(panel: _Panel, results: Sequence[Result]) -> dict[int, Mapping[str, float]]:
    """What the panel shows: by people, and by the side's name."""
    of = [
        result
        for result in results
        if result.scenario == panel.scenario and not result.case.endswith(COMPRESSED)
    ]
    found = {int(case.split()[0]): medians(of, case) for case in {result.case for result in of}}
    return {size: found[size][panel.key] for size in sorted(found) if panel.key in found[size]}


def _words(found: Sequence[tuple[_Panel, Mapping[int, Mapping[str, float]]]]) -> str:
    """All that the bars show, for who cannot see them."""
    said: list[str] = []
    for panel, bars in found:
        for size, sides in bars.items():
            values = (f"{side} {panel.shown(value)}" for side, value in sides.items())
            said.append(f"{panel.title}, {size} people: {', '.join(values)}.")
    return " ".join(said)


def _legend() -> str:
    drawn: list[str] = []
    for k, (color, name) in enumerate(SIDES.values()):
        x, y = 24 + (k % 2) * 330, 20 + (k // 2) * 22
        drawn.append(f'<rect x="{x}" y="{y}" width="12" height="12" rx="2" fill="{color}"/>')
        drawn.append(text(x + 19, y + 10.5, name))
    return "\n".join(drawn)


def _panel(
    panel: _Panel, found: Mapping[int, Mapping[str, float]], top: int
) -> tuple[list[str], int]:
    values = [value for sides in found.values() for value in sides.values()]
    place = _scale(min([*values, *panel.marks]), max([*values, 1.0]))
    y = top + PANEL
    bars: list[str] = []
    for size, sides in found.items():
        shown = [side for side in SIDES if side in sides]
        middle = y + len(shown) * BAR / 2 + 4
        bars.append(text(LEFT - 10, middle, f"{size} people", anchor="end"))
        for side in shown:
            bars.append(_bar(place(sides[side]), y, SIDES[side][0], panel.shown(sides[side])))
            y += BAR
        y += GAP
    marks = [mark for mark in panel.marks if mark <= max([*values, 1.0])]
    lines = [_mark(place(mark), top + PANEL - 6, y - GAP + 4, mark) for mark in marks]
    return [text(24, top + 26, panel.title, weight=600), *lines, *bars], y


def _scale(smallest: float, largest: float) -> Callable[[float], float]:
    """Where a value lies, in pixels; each step to the right is as many times more."""
    low, high = math.log10(smallest) - 0.3, math.log10(largest)

    def place(value: float) -> float:
        share = (math.log10(max(value, smallest)) - low) / max(high - low, 0.1)
        return LEFT + share * (WIDTH - LEFT - RIGHT)

    return place


def _bar(end: float, y: float, color: str, figure: str) -> str:
    bar = (
        f'<rect x="{LEFT}" y="{y}" width="{end - LEFT:.1f}" height="{BAR - 3}" rx="2" '
        f'fill="{color}"/>'
    )
    return bar + "\n" + text(end + 6, y + BAR - 5, figure, size=12)


def _mark(x: float, top: float, bottom: float, value: float) -> str:
    line = (
        f'<line x1="{x:.1f}" y1="{top}" x2="{x:.1f}" y2="{bottom}" '
        'stroke="#d8dee4" stroke-dasharray="2 3"/>'
    )
    return line + "\n" + text(x, top - 5, f"{value:,.0f}", size=11, anchor="middle", fill=FAINT)
