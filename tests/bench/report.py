"""What was measured, as a table and as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from rich.table import Table

from tests.bench.tally import Figures, median

__all__ = ["Run", "as_json", "table", "troubles"]

P50_AIM = 2.5
"""Milliseconds that our p50 may lie above the bare broadcast's, commit included."""
BURST_AIM = 2.0
"""How many times the bare broadcast's deliveries per second ours shall be."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run of one side with so many people."""

    side: Literal["bare", "ours"]
    people: int
    paced: Figures
    burst: Figures


def table(runs: Sequence[Run]) -> Table:
    """Both sides beside each other, medians over the runs."""
    drawn = Table(title="shiny_labchat (ours, durable) beside a bare broadcast (stores nothing)")
    for name in ("people", "what", "bare", "ours", "ratio", "more", "aim"):
        justify = "left" if name in ("what", "aim") else "right"
        drawn.add_column(name, justify=justify, no_wrap=True)
    for people in sorted({run.people for run in runs}):
        rows = [_row(pick, _of(runs, people, pick)) for pick in _PICKS]
        for k, row in enumerate(rows):
            drawn.add_row(str(people) if k == 0 else "", *row, end_section=row is rows[-1])
    return drawn


@dataclass(frozen=True, slots=True)
class _Pick:
    """A figure of a run, and how it is shown."""

    name: str
    of: Callable[[Run], float]
    is_latency: bool = True
    has_aim: bool = False


_PICKS = (
    _Pick("paced p50, ms", lambda run: run.paced.p50, has_aim=True),
    _Pick("paced p95, ms", lambda run: run.paced.p95),
    _Pick("paced p99, ms", lambda run: run.paced.p99),
    _Pick("burst, per s", lambda run: run.burst.per_second, is_latency=False, has_aim=True),
)


def _of(runs: Sequence[Run], people: int, pick: _Pick) -> tuple[float, float]:
    bare, ours = (
        median([pick.of(run) for run in runs if run.people == people and run.side == side])
        for side in ("bare", "ours")
    )
    return bare, ours


def _row(pick: _Pick, values: tuple[float, float]) -> list[str]:
    bare, ours = values
    ratio = f"{ours / bare:.2f}"
    if pick.is_latency:
        more = ours - bare
        aim = _verdict(f"+{P50_AIM}", more <= P50_AIM) if pick.has_aim else ""
        return [pick.name, f"{bare:.2f}", f"{ours:.2f}", ratio, f"{more:+.2f}", aim]
    aim = _verdict(f"× {BURST_AIM:g}", ours >= BURST_AIM * bare)
    return [pick.name, f"{bare:,.0f}", f"{ours:,.0f}", ratio, f"{ours - bare:+,.0f}", aim]


def _verdict(aim: str, holds: bool) -> str:
    return f"{aim} [green]holds[/]" if holds else f"{aim} [red]missed[/]"


def troubles(runs: Sequence[Run]) -> tuple[list[str], list[str]]:
    """
    What must not be: deliveries lost or doubled, and different orders.

    Returns
    -------
    failures, remarks
        The bare broadcast promises no order, so a mixed one of its is a remark only.
    """
    failures: list[str] = []
    remarks: list[str] = []
    for run in runs:
        for phase, figures in (("paced", run.paced), ("burst", run.burst)):
            where = f"{run.side}, {run.people} people, {phase}"
            if figures.lost or figures.doubled:
                failures.append(f"{where}: {figures.lost} lost, {figures.doubled} doubled")
            if figures.orders > 1:
                said = f"{where}: people have received {figures.orders} different orders"
                (failures if run.side == "ours" else remarks).append(said)
    return failures, remarks


def as_json(runs: Sequence[Run], options: Mapping[str, Any]) -> str:
    """Everything, run by run, and the medians."""
    medians = [
        {"people": people, "what": pick.name, "bare": bare, "ours": ours}
        for people in sorted({run.people for run in runs})
        for pick in _PICKS
        for bare, ours in [_of(runs, people, pick)]
    ]
    found = {"options": dict(options), "medians": medians, "runs": [asdict(run) for run in runs]}
    return json.dumps(found, indent=2)
