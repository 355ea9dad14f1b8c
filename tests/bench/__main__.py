"""``python -m tests.bench``: measure, print tables, fail if ours lost anything."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench.clock import loop_factory
from tests.bench.machine import Machine
from tests.bench.options import Options
from tests.bench.picture import picture
from tests.bench.report import as_json, faults, from_json, remarks, table
from tests.bench.results import Job, Result
from tests.bench.scenarios import SCENARIOS, SIDE_BY_SIDE

FRAMES_AT_ONCE = 200
"""Frames of one person that our gateway reads at once; it reads a flood no faster."""
DEFAULTS = Options()
EPILOG = "Example:  python -m tests.bench --only fanout,join --runs 5 --json bench.json"


def _sizes(ctx: click.Context, param: click.Parameter, value: str | None) -> list[int] | None:
    if value is None:
        return None
    try:
        sizes = [int(part) for part in value.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 2:
        raise click.BadParameter("must be numbers such as 10,50,100, each at least 2", ctx, param)
    return sizes


def _names(ctx: click.Context, param: click.Parameter, value: str | None) -> list[str]:
    names = [each.name for each in SIDE_BY_SIDE] if value is None else value.split(",")
    unknown = [name for name in names if name not in SCENARIOS]
    if unknown:
        raise click.BadParameter(f"no {unknown[0]!r}; there are {', '.join(SCENARIOS)}", ctx, param)
    return names


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog=EPILOG)
@click.option(
    "--only", callback=_names, help=f"Some of {','.join(SCENARIOS)}; else all but growth."
)
@click.option("--quick", is_flag=True, help="Small sizes: whether it works, in a minute or two.")
@click.option(
    "--people",
    callback=_sizes,
    help="People in the one room, one size after the other [10,50,100].",
)
@click.option("--rate", type=click.FloatRange(0.1), help="Messages a second, of all [20].")
@click.option("--seconds", type=click.FloatRange(0.1), help="How long people talk [5].")
@click.option("--burst", type=click.IntRange(1, 2000), help="Messages said at once [200].")
@click.option("--runs", type=click.IntRange(1), help="Runs of bare and ours in fanout [3].")
@click.option("--deflate", is_flag=True, help="Do fanout with compressed frames as well.")
@click.option("--json", "file", type=_FILE, help="Write all figures to this file.")
@click.option(
    "--picture", "drawing", type=_FILE, help="Draw fanout and streams, as SVG, into this file."
)
@click.option("--read", type=_FILE, help="Measure nothing; show the figures of such a JSON file.")
def main(
    only: list[str],
    quick: bool,
    deflate: bool,
    file: Path | None,
    drawing: Path | None,
    read: Path | None,
    **sizes: Any,
) -> None:
    """
    Measure shiny_labchat beside three other ways to build a group chat.

    "bare" is a websocket broadcast that stores nothing, "naive" a shared reactive.Value with
    shinychat's Chat in each session, "direct" Shiny's custom messages to the sessions of a room,
    and "ours" stores each message before anybody sees it. Each runs in a server process of its
    own; all people are in this process. Times are from just before a send to a receiver's having
    it, for each message and receiver. The database lies in the current folder, so it is this
    folder's disk that is measured. Nothing else should run on the machine.

    "growth" measures ours alone: what has to do with many rooms, members, messages or tokens, at
    full size beside a tenth of it. "The worst" is there the median of several worsts, less the
    same of a quiet control in the same run. It needs 1 GB in the temporary folder.

    Ends with status 1 if ours lost, doubled or mixed up anything. An aim that is missed is red.
    """
    options = replace(DEFAULTS.quick() if quick else DEFAULTS, deflate=deflate, **_given(sizes))
    if options.burst / min(options.people) > FRAMES_AT_ONCE:
        raise click.UsageError("too many messages for each person; take more people")
    console = Console(width=None if sys.stdout.isatty() else 150)
    if read is None:
        machine = asyncio.run(Machine.look())
        console.print(str(machine), style="red" if machine.is_busy else "")
        results = _run(console, only, options)
        if file is not None:
            file.write_text(as_json(results, options, machine), encoding="utf-8")
    else:
        results = from_json(read.read_text(encoding="utf-8"))
    _show(console, results)
    if drawing is not None:
        drawing.write_text(picture(results), encoding="utf-8")
    sys.exit(1 if faults(results) else 0)


def _given(sizes: dict[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in sizes.items() if value is not None}
    return {**given, "people": tuple(given["people"])} if "people" in given else given


def _run(console: Console, only: Sequence[str], options: Options) -> list[Result]:
    jobs = [(name, job) for name in only for job in SCENARIOS[name].plan(options)]
    found: list[Result] = []
    columns = (
        TextColumn("{task.description:<48}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with (
        Progress(*columns, console=console, transient=True) as progress,
        asyncio.Runner(loop_factory=loop_factory()) as runner,
    ):
        task = progress.add_task("", total=len(jobs))
        for name, job in jobs:
            progress.update(task, description=f"{name}: {job.name}")
            if not console.is_terminal:
                console.print(f"{len(found) + 1}/{len(jobs)} {name}: {job.name}")
            found.append(runner.run(_measure(name, job)))
            progress.advance(task)
    return found


async def _measure(scenario: str, job: Job) -> Result:
    try:
        return await job.measure()
    except Exception as exc:  # the rest is worth measuring all the same
        return Result(scenario, job.name, job.side, 0, {}, faults=[f"broke off: {exc!r}"])


def _show(console: Console, results: Sequence[Result]) -> None:
    for name, scenario in SCENARIOS.items():
        of = [result for result in results if result.scenario == name]
        if of:
            console.print(table(scenario, of))
            console.print()
    if any(result.saturated for result in results):
        console.print("* saturated: messages were still missing when waiting ended.")
    for remark in remarks(results):
        console.print(f"By the way: {remark}.")
    for fault in faults(results):
        console.print(f"[red]Failed:[/] {fault}.")
    if not faults(results):
        console.print("Ours lost and doubled nothing, and all received one order.")


if __name__ == "__main__":
    main(prog_name="python -m tests.bench")
