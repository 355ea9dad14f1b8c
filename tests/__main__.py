"""
Runs every check there is, and ends with one table and one line.

Each step is a process of its own: pytest-playwright leaves an event loop running, and a step that
crashes must not take the others with it. Ctrl+C, or SIGTERM, ends them all and what they started.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import click

from tests.runner.processes import ended_by_signals
from tests.runner.report import Report
from tests.runner.steps import NAMES, Result, Step, all_steps, on_backends
from tests.support.backend import BACKENDS
from tests.support.chromium import find_chromium

ROOT = Path(__file__).parent.parent
EXAMPLE = """
\b
Examples:
  python -m tests
  python -m tests --only unit,contract
  python -m tests --only browser -k "three_people"
  python -m tests --backend postgresql+nats --only integration
  python -m tests --long
"""


@click.command(epilog=EXAMPLE)
@click.option("--only", metavar="STEP,...", help=f"Some of: {', '.join(NAMES)}.")
@click.option("-k", "expression", metavar="EXPR", help="Only tests that match, as in pytest.")
@click.option("--long", is_flag=True, help="Also the tests that take minutes.")
@click.option(
    "--backend",
    type=click.Choice(BACKENDS),
    help="Run the suites contract, integration and browser on this database and bus only.",
)
@click.option("--slowest", default=0, metavar="N", help="Print the N slowest tests and files.")
def main(
    only: str | None, expression: str | None, long: bool, backend: str | None, slowest: int
) -> None:
    """
    Run the checks and tests of shiny_labchat.

    With --long, the suites also run on the other backends.
    """
    names = _chosen(only)
    if long:
        os.environ["LABCHAT_LONG"] = "1"
    with tempfile.TemporaryDirectory(prefix="labchat-tests-") as folder:
        steps = _steps(names, Path(folder), expression, long, backend)
        report = Report(len(steps))
        with ended_by_signals(report.say):
            if "browser" in names and "LABCHAT_CHROMIUM" not in os.environ:
                os.environ["LABCHAT_CHROMIUM"] = find_chromium(report.say)
            results = _run_all(steps, report)
    report.slowest(results, slowest)
    report.summary(results, ROOT / "shiny_labchat")
    sys.exit(any(result.failed for result in results))


def _steps(
    names: list[str], folder: Path, expression: str | None, long: bool, backend: str | None
) -> list[Step]:
    """The steps that are asked for, by the names of their suites."""
    usual = [] if backend is not None else all_steps(ROOT, folder, expression, long)
    on_one = backend is not None
    others = on_backends(ROOT, folder, expression, long and on_one, backend)
    steps = [*usual, *(others if long or on_one else ())]
    return [step for step in steps if step.name.partition("@")[0] in names]


def _chosen(only: str | None) -> list[str]:
    names = [name.strip() for name in (only or ",".join(NAMES)).split(",")]
    for name in names:
        if name not in NAMES:
            raise click.BadParameter(f"no step {name!r}; there are {', '.join(NAMES)}", None, None)
    return names


def _run_all(steps: Sequence[Step], report: Report) -> list[Result]:
    # Browser tests wait most of the time: they run beside the others, which halves it all.
    with ThreadPoolExecutor(1) as beside:
        browser = {step.name: beside.submit(step.run, _nothing) for step in steps if step.is_beside}
        results = [_run(step, browser.get(step.name), report) for step in steps]
    return [_run_again(*each, report) for each in zip(steps, results, strict=True)]


def _run(step: Step, begun: Future[Result] | None, report: Report) -> Result:
    with report.running(step.name) as progress:
        result = step.run(progress) if begun is None else begun.result()
    report.finished(result)
    return result


def _run_again(step: Step, first: Result, report: Report) -> Result:
    result = step.run_again(first, report.say)
    if result is not first:
        report.finished_again(result)
    return result


def _nothing(line: str) -> None:
    pass


if __name__ == "__main__":
    main(prog_name="python -m tests")
