"""The flow of people through a study, as CONSORT 2010 draws it: boxes from above, losses aside."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from shiny_labchat.report.numbers import Numbers
from shiny_labchat.report.svg import COLOURS, line, number, picture, rect, text

__all__ = ["colour_of", "conditions_in", "flow_picture", "losses"]

WIDTH = 760.0
GAP = 18.0
"""Between boxes, from above; arrows are there."""
LINE = 17.0
PAD = 8.0
ACROSS = 4
"""Conditions beside each other; more are drawn below."""
MOST = 16
"""Most conditions that are drawn; the table has all."""
STEPS = {
    "arrived": "Arrived",
    "consented": "Consented",
    "waited": "Waited in a lobby",
    "grouped": "Grouped",
    "started": "Started",
    "finished": "Finished",
    "end_complete": "Completed",
}
_BEFORE = ("arrived", "consented", "waited")


class _Box(NamedTuple):
    x: float
    y: float
    width: float
    lines: Sequence[str]
    css: str = "box"

    @property
    def height(self) -> float:
        return len(self.lines) * LINE + 2 * PAD - 3

    @property
    def middle(self) -> float:
        return self.x + self.width / 2

    def drawn(self) -> list[str]:
        shape = rect(self.x + 1, self.y, self.width - 2, self.height, self.css, rounded=4)
        words = [
            text(self.x + PAD, self.y + PAD + 11 + k * LINE, said, room=self.width - 2 * PAD,
                 css="strong" if k == 0 else "")
            for k, said in enumerate(self.lines)
        ]  # fmt: skip
        return [shape, *words]


def losses(steps: Mapping[str, int]) -> list[tuple[str, int]]:
    """The ends of people other than completing, and how many are still inside; most first."""
    found = [
        (name.removeprefix("end_"), people)
        for name, people in steps.items()
        if name.startswith("end_") and name != "end_complete" and people
    ]
    found.sort(key=lambda each: (-each[1], each[0]))
    inside = steps.get("still_inside", 0)
    return [*found, ("still inside", inside)] if inside else found


def conditions_in(numbers: Numbers) -> list[str]:
    """The conditions that were drawn for somebody."""
    return [name for name, steps in numbers.flow.items() if name and steps.get("arrived")]


def colour_of(numbers: Numbers, condition: str) -> int:
    """The number of a condition's colour, which it has in all pictures; none drawn: a faint one."""
    return conditions_in(numbers).index(condition) % COLOURS if condition else COLOURS


def flow_picture(numbers: Numbers) -> str:
    """The picture; the conditions are beside each other, if there are several."""
    conditions = conditions_in(numbers)
    if not conditions:
        parts, height = _one_way(numbers)
    else:
        parts, height = _several(numbers, conditions[:MOST])
    said = ", ".join(f"{name} {number(numbers.total(step))}" for step, name in STEPS.items())
    return picture("flow", WIDTH, height, "Flow of people through the study", said, parts)


def _one_way(numbers: Numbers) -> tuple[list[str], float]:
    """No conditions: one way down, and all losses aside."""
    chain = _chain(numbers, STEPS, 0, WIDTH / 2 - 60, 4)
    steps: dict[str, int] = {}
    for each in numbers.flow.values():
        for step, people in each.items():
            steps[step] = steps.get(step, 0) + people
    parts, bottom = _drawn_chain(chain)
    lost = _lost_box(steps, "Ended otherwise", WIDTH / 2 + 20, 4, WIDTH / 2 - 24)
    if lost is not None:
        y = chain[0].y + chain[0].height / 2
        parts += [*lost.drawn(), line(chain[0].x + chain[0].width, y, lost.x, y, "arrow")]
        bottom = max(bottom, lost.y + lost.height)
    return parts, bottom + 6


def _several(numbers: Numbers, conditions: Sequence[str]) -> tuple[list[str], float]:
    """What all have in common, then a column for each condition."""
    width = WIDTH / 2 - 60
    chain = _chain(numbers, _BEFORE, 0, width, 4)
    parts, bottom = _drawn_chain(chain)
    lost = _lost_box(numbers.flow.get("", {}), "Without a group", WIDTH / 2 + 20, 4,
                     WIDTH / 2 - 24)  # fmt: skip
    if lost is not None:
        y = chain[0].y + chain[0].height / 2
        parts += [*lost.drawn(), line(chain[0].x + chain[0].width, y, lost.x, y, "arrow")]
        bottom = max(bottom, lost.y + lost.height)
    for start in range(0, len(conditions), ACROSS):
        some = conditions[start : start + ACROSS]
        trunk = None if start else (chain[-1].middle, chain[-1].y + chain[-1].height)
        drawn, bottom = _columns(numbers, some, bottom + 2 * GAP, trunk)
        parts += drawn
    return parts, bottom + 6


def _columns(
    numbers: Numbers, conditions: Sequence[str], top: float, trunk: tuple[float, float] | None
) -> tuple[list[str], float]:
    """Columns of conditions from a height; `trunk`: from where the arrows to them come."""
    parts: list[str] = []
    bottom, gap = top, 12.0
    across = min(ACROSS, max(len(conditions), 2))
    width = (WIDTH - gap * (across - 1)) / across
    if trunk is not None:
        last = (len(conditions) - 1) * (width + gap) + width / 2
        bar = top - GAP
        parts.append(line(trunk[0], trunk[1], trunk[0], bar, "edge-line"))
        parts.append(line(min(trunk[0], width / 2), bar, max(trunk[0], last), bar, "edge-line"))
    for k, condition in enumerate(conditions):
        x, steps = k * (width + gap), numbers.flow[condition]
        if trunk is not None:
            parts.append(line(x + width / 2, top - GAP, x + width / 2, top, "arrow"))
        head = _Box(x, top, width, (condition,), f"box c{colour_of(numbers, condition)}-edge")
        after = [step for step in STEPS if step not in _BEFORE]
        boxes = [head, *_chain_of(steps, after, x, width, top + head.height + GAP)]
        drawn, end = _drawn_chain(boxes)
        lost = _lost_box(steps, "Ended otherwise", x, end + GAP, width)
        if lost is not None:
            drawn += lost.drawn()
            end = lost.y + lost.height
        parts += drawn
        bottom = max(bottom, end)
    return parts, bottom


def _chain(
    numbers: Numbers, steps: Iterable[str], x: float, width: float, top: float
) -> list[_Box]:
    totals = {step: numbers.total(step) for step in steps}
    return _chain_of(totals, list(totals), x, width, top)


def _chain_of(
    counts: Mapping[str, int], steps: Sequence[str], x: float, width: float, top: float
) -> list[_Box]:
    """Boxes below each other; a step that nobody came to is left out, but for the first one."""
    boxes: list[_Box] = []
    y = top
    for k, step in enumerate(steps):
        if k and not counts.get(step):
            continue
        box = _Box(x, y, width, (f"{STEPS[step]}: {number(counts.get(step, 0))}",))
        boxes.append(box)
        y += box.height + GAP
    return boxes


def _drawn_chain(boxes: Sequence[_Box]) -> tuple[list[str], float]:
    parts = [part for box in boxes for part in box.drawn()]
    for one, other in zip(boxes, boxes[1:], strict=False):
        parts.append(line(one.middle, one.y + one.height, other.middle, other.y, "arrow"))
    return parts, boxes[-1].y + boxes[-1].height


def _lost_box(
    steps: Mapping[str, int], title: str, x: float, y: float, width: float
) -> _Box | None:
    lost = losses(steps)
    if not lost:
        return None
    total = number(sum(people for _, people in lost))
    lines = (f"{title}: {total}", *(f"{reason}: {number(people)}" for reason, people in lost))
    return _Box(x, y, width, lines, "box aside")
