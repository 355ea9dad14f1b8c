"""``python -m tests.scaling``: what labs of some sizes need, and whether that can be believed."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table

from tests.bench.clock import loop_factory
from tests.bench.report import from_json
from tests.scaling.check import check
from tests.scaling.costs import Costs, costs_of
from tests.scaling.pages import tables

PROCESSES = 1, 2
RATES = 50.0, 100.0, 200.0
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--measured",
    type=_FILE,
    help="Take the costs from this file of the bench, and keep them for later.",
)
@click.option("--check", "is_check", is_flag=True, help="Let 500 people talk here, and compare.")
def main(measured: Path | None, is_check: bool) -> None:
    """
    Compute and simulate what a lab needs, from measured costs.

    Without options it prints the tables of docs/scaling.md. The costs come from

        python -m tests.bench --only engines,workers,rooms,memory --json bench.json
    """
    costs = Costs.measured()
    if measured is not None:
        costs = costs_of(from_json(measured.read_text(encoding="utf-8")), costs)
        costs.keep()
        costs = Costs.measured()
    if is_check:
        _check(costs)
    else:
        print("\n\n".join(tables(costs)))


def _check(costs: Costs) -> None:
    for processes in PROCESSES:
        for rate in RATES:
            with asyncio.Runner(loop_factory=loop_factory()) as runner:
                found = runner.run(check(costs, processes, rate))
            drawn = Table("", "expected", "measured", title=f"{processes} processes, {rate:g}/s")
            for each in found:
                drawn.add_row(each.what, f"{each.expected:,.2f}", f"{each.measured:,.2f}")
            Console().print(drawn)


if __name__ == "__main__":
    main(prog_name="python -m tests.scaling")
