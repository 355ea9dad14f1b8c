"""The tables of docs/scaling.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from tests.scaling.cluster import Cluster, demand, processes_for
from tests.scaling.costs import Costs
from tests.scaling.simulation import simulate

__all__ = ["SIZES", "tables"]

SIZES = (
    Cluster(500, 100, 1),
    Cluster(2_000, 400, 1),
    Cluster(10_000, 2_000, 1),
    Cluster(100_000, 20_000, 1),
)
WAYS: dict[str, dict[str, bool]] = {
    "any process": {},
    "any, with callbacks": {"hear_all": True},
    "the same process": {"are_together": True},
}
"""Where the people of a room are."""
SECONDS = {500: 60.0, 2_000: 20.0, 10_000: 10.0, 100_000: 2.0}
"""How long people of a lab of each size talk in the simulation."""


def tables(costs: Costs) -> list[str]:
    """What things cost; what labs need."""
    return [_costs(costs), _sizes(costs), _shares(costs)]


def _costs(costs: Costs) -> str:
    ms, mb = "ms of a core", "MB"
    rows = [
        ("a message: to take and store it", _few(costs.store), ms),
        ("the same, PostgreSQL's own work", _few(costs.database), ms),
        ("a message: to send it to one person", _few(costs.deliver), ms),
        ("a message: for each further process that has the room open", _few(costs.hear), ms),
        ("a message: for each further process that has not", _few(costs.ring), ms),
        ("a page that comes", _few(costs.admit), ms),
        ("a page in which nothing happens", _few(costs.rest), f"{ms} a second"),
        ("a process in which nothing happens", _few(costs.process_rest), f"{ms} a second"),
        ("a page with a chat", _few(costs.page), mb),
        ("an open room", _few(costs.room), mb),
        ("a process", _few(costs.process), mb),
    ]
    return _table(("what", "cost", "of"), rows)


def _sizes(costs: Costs) -> str:
    rows: list[Sequence[str]] = []
    for size in SIZES:
        for where, how in WAYS.items():
            tried = replace(size, **how)
            number = processes_for(costs, tried)
            if number is None:
                rows.append((f"{size.people:,}", where, "no number is enough", *5 * ("",)))
                continue
            cluster = replace(tried, processes=number)
            load = demand(costs, cluster)
            talk = simulate(costs, cluster, SECONDS[size.people])
            rows.append(
                (
                    f"{size.people:,}",
                    where,
                    f"{number:,}",
                    f"{load.memory / 1024:,.1f} GB",
                    f"{load.commits:,.0f}",
                    f"{load.database:,.1f}",
                    f"{load.bells:,.0f}",
                    f"{talk.p50:.0f} / {talk.p99:.0f} ms",
                )
            )
    names = (
        "people",
        "people of a room are at",
        "processes",
        "their memory",
        "messages/s",
        "PostgreSQL, cores",
        "bells/s",
        "p50 / p99",
    )
    return _table(names, rows)


def _shares(costs: Costs) -> str:
    largest = SIZES[-1]
    columns: list[dict[str, float]] = []
    for how in WAYS.values():
        tried = replace(largest, **how)
        number = processes_for(costs, tried) or largest.people // 100
        columns.append(demand(costs, replace(tried, processes=number)).shares)
    rows = [(name, *(f"{100 * each[name]:.0f} %" for each in columns)) for name in columns[0]]
    return _table(("the servers' work", *WAYS), rows)


def _table(names: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [names, ["---"] + ["---:"] * (len(names) - 1), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _few(value: float) -> str:
    """Two digits: more would say too much of one machine."""
    return f"{float(f'{value:.2g}'):g}"
