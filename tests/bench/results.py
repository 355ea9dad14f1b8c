"""What one run of one side came to, and how the rows of a table are made of it."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.bench.options import Options
from tests.bench.tally import Figures

__all__ = ["Aim", "Job", "Result", "Row", "Scenario", "faults_of"]


@dataclass(frozen=True, slots=True)
class Result:
    """
    One run of one side.

    Parameters
    ----------
    scenario, case, side, run
        What was measured: "fanout", "50 people", "ours", and which time.
    values
        Figures by the keys of the scenario's rows.
    saturated
        Whether messages were still missing when waiting ended. Delays then count those as late
        as the end, and deliveries per second are those of that time.
    faults
        What must not be: messages lost, doubled, or in different orders.
    """

    scenario: str
    case: str
    side: str
    run: int
    values: Mapping[str, float]
    saturated: bool = False
    faults: Sequence[str] = field(default_factory=tuple[str, ...])


@dataclass(frozen=True, slots=True)
class Aim:
    """
    What ours shall reach.

    Parameters
    ----------
    text
        How it is shown.
    holds
        Decides, of all sides' medians by the side's name.
    beside
        The side that is needed for that; "" if none is.
    """

    text: str
    holds: Callable[[Mapping[str, float]], bool]
    beside: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A figure of a scenario, how it is shown, and what ours shall reach."""

    key: str
    name: str
    digits: int = 1
    has_ratio: bool = True
    aims: tuple[Aim, ...] = ()


@dataclass(frozen=True, slots=True)
class Job:
    """One thing to measure: of which side, and what it is called meanwhile."""

    side: str
    name: str
    measure: Callable[[], Coroutine[Any, Any, Result]]


@dataclass(frozen=True, slots=True)
class Scenario:
    """
    A table's worth of measurements.

    Parameters
    ----------
    name, title, rows
        What it is called, and what the table has.
    plan
        What there is to measure.
    columns
        The columns, by the results' `side`; the last one has the aims. Empty: the four sides.
    """

    name: str
    title: str
    rows: tuple[Row, ...]
    plan: Callable[[Options], list[Job]]
    columns: tuple[str, ...] = ()


def faults_of(**phases: Figures) -> list[str]:
    """What went wrong in some phases, by name."""
    found: list[str] = []
    for name, figures in phases.items():
        if figures.lost:
            found.append(f"{name}: {figures.lost} of {figures.wanted} deliveries are missing")
        if figures.doubled:
            found.append(f"{name}: {figures.doubled} deliveries came twice")
        if figures.disordered:
            found.append(f"{name}: not one order for all in {figures.disordered} rooms")
    return found
