"""What was measured, as tables and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.table import Table

from tests.bench.machine import Machine
from tests.bench.options import Options
from tests.bench.results import Result, Row, Scenario
from tests.bench.sides import OURS, SIDES
from tests.bench.tally import median

__all__ = ["as_json", "faults", "from_json", "medians", "remarks", "table"]

OTHERS = frozenset(side.name for side in SIDES if side is not OURS)
"""The sides that are not ours."""
Found = dict[str, dict[str, float]]
"""Medians by the row's key and the side's name."""


def medians(results: Iterable[Result], case: str) -> Found:
    """The medians of one case of a scenario."""
    values: dict[str, dict[str, list[float]]] = {}
    for result in results:
        if result.case == case:
            for key, value in result.values.items():
                values.setdefault(key, {}).setdefault(result.side, []).append(value)
    return {
        key: {side: median(found) for side, found in sides.items()} for key, sides in values.items()
    }


def cases(results: Iterable[Result]) -> list[str]:
    """The cases that were measured, in order."""
    return list(dict.fromkeys(result.case for result in results))


# ── tables ───────────────────────────────────────────────────────────────────────────────────


def table(scenario: Scenario, results: Sequence[Result]) -> Table:
    """
    All columns beside each other, and what the last of them, which is judged, comes to.

    Further columns say how many times the others' figures its own are.
    """
    columns = scenario.columns or [side.name for side in SIDES]
    names = [name for name in columns if any(r.side == name for r in results)]
    judged = columns[-1]
    others = [name for name in names if name != judged]
    drawn = Table(title=scenario.title, title_justify="left")
    drawn.add_column("")
    for name in names:
        drawn.add_column(name, justify="right", no_wrap=True)
    for name in others:
        drawn.add_column(f"{judged}/{name}", justify="right", no_wrap=True)
    drawn.add_column("aim")
    for case in cases(result for result in results if result.values):
        drawn.add_row(f"[bold]{case}[/]")
        late = {r.side for r in results if r.case == case and r.saturated}
        found = medians(results, case)
        rows = [row for row in scenario.rows if row.key in found]
        for row in rows:
            sides = found[row.key]
            cells = [_cell(row, sides, name, name in late) for name in names]
            ratios = [_ratio(sides, judged, name) if row.has_ratio else "" for name in others]
            verdicts = _verdicts(row, sides) if judged in sides else ""
            is_last = row is rows[-1]
            drawn.add_row(f"  {row.name}", *cells, *ratios, verdicts, end_section=is_last)
    return drawn


def _cell(row: Row, sides: Mapping[str, float], name: str, is_late: bool) -> str:
    if name not in sides:
        return "-"
    return f"{sides[name]:,.{row.digits}f}{'*' if is_late else ''}"


def _ratio(sides: Mapping[str, float], judged: str, other: str) -> str:
    if sides.get(other, 0) <= 0 or judged not in sides:
        return ""
    ratio = sides[judged] / sides[other]
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.2g}" if ratio < 1 else f"{ratio:.1f}"


def _verdicts(row: Row, sides: Mapping[str, float]) -> str:
    verdicts = [
        f"{aim.text} {'[green]holds[/]' if aim.holds(sides) else '[red]missed[/]'}"
        for aim in row.aims
        if not aim.beside or aim.beside in sides
    ]
    return "\n".join(verdicts)


# ── in words ─────────────────────────────────────────────────────────────────────────────────


def faults(results: Iterable[Result]) -> list[str]:
    """What must not be: ours lost, doubled or mixed something up."""
    return [_said(r, fault) for r in results for fault in r.faults if r.side not in OTHERS]


def remarks(results: Iterable[Result]) -> list[str]:
    """What the others did; they promise less."""
    return [_said(r, fault) for r in results for fault in r.faults if r.side in OTHERS]


def _said(result: Result, fault: str) -> str:
    return f"{result.scenario}, {result.case}, {result.side}: {fault}"


# ── JSON ─────────────────────────────────────────────────────────────────────────────────────


def as_json(results: Sequence[Result], options: Options, machine: Machine) -> str:
    """Everything, run by run, the medians, and what it was measured on."""
    by_scenario: dict[str, list[Result]] = {}
    for result in results:
        by_scenario.setdefault(result.scenario, []).append(result)
    found = {
        "machine": machine.as_dict(),
        "options": asdict(options),
        "medians": {
            name: {case: medians(of, case) for case in cases(of)}
            for name, of in by_scenario.items()
        },
        "runs": [asdict(result) for result in results],
    }
    return json.dumps(found, indent=2)


def from_json(text: str) -> list[Result]:
    """What :func:`as_json` wrote, run by run."""
    found: dict[str, Any] = json.loads(text)
    return [Result(**run) for run in found["runs"]]
