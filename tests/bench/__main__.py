"""``python -m tests.bench``: measure, print a table, fail if anything was lost."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import Callable
from itertools import product
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from tests.bench.crowd import Crowd
from tests.bench.report import Run, as_json, table, troubles
from tests.bench.servers import running
from tests.bench.sides import BARE, OURS, Side

WARM_UP = 1.0
"""Seconds of talk before anything is measured."""
WINDOW = 200
"""Messages that a browser of ours may fall behind; then it gets the newest screen instead."""
FRAMES_AT_ONCE = 200
"""Frames of one person that our gateway reads at once; it reads a flood no faster."""


def _sizes(ctx: click.Context, param: click.Parameter, value: str) -> list[int]:
    try:
        sizes = [int(part) for part in value.split(",")]
    except ValueError:
        sizes = []
    if not sizes or min(sizes) < 1:
        raise click.BadParameter("must be numbers such as 10,50,100", ctx, param)
    return sizes


@click.command(epilog="Example:  python -m tests.bench --people 50 --runs 5 --json bench.json")
@click.option(
    "--people",
    default="10,50,100",
    callback=_sizes,
    show_default=True,
    help="People in the room, one size after the other.",
)
@click.option(
    "--rate",
    default=20.0,
    type=click.FloatRange(0.1),
    show_default=True,
    help="Messages a second, of all people together.",
)
@click.option(
    "--seconds",
    default=8.0,
    type=click.FloatRange(0.1),
    show_default=True,
    help="How long they talk at that rate.",
)
@click.option(
    "--burst",
    default=200,
    type=click.IntRange(1, WINDOW),
    show_default=True,
    help="Messages said at once after that.",
)
@click.option(
    "--runs",
    default=3,
    type=click.IntRange(1),
    show_default=True,
    help="Runs of each side; the table shows medians.",
)
@click.option("--deflate", is_flag=True, help="Let the people accept compressed frames.")
@click.option(
    "--json",
    "file",
    type=click.Path(dir_okay=False, writable=True, path_type=Path),
    help="Write all figures to this file.",
)
def main(
    people: list[int],
    rate: float,
    seconds: float,
    burst: int,
    runs: int,
    deflate: bool,
    file: Path | None,
) -> None:
    """
    Measure how fast messages reach everybody, beside a broadcast that stores nothing.

    Both sides take turns, each in a server process of its own, with all people in this process.
    Times are from just before a send to a receiver's having it, for each message and receiver.
    The database lies in the current folder, so it is this folder's disk that is measured.
    Ends with status 1 if a message was lost or doubled, or our order was not the same for all.
    """
    if burst / min(people) + (seconds + WARM_UP) * rate / min(people) > FRAMES_AT_ONCE:
        raise click.UsageError("too many messages for each person; take more people")
    console = Console()
    turns = list(product(people, range(runs), (BARE, OURS)))
    with _progress(console) as progress, asyncio.Runner(loop_factory=_loop_factory()) as runner:
        task = progress.add_task("", total=len(turns))
        found: list[Run] = []
        for size, run, side in turns:
            progress.update(task, description=f"{size} people, run {run + 1}, {side.name}")
            found.append(runner.run(measure(side, size, rate, seconds, burst, deflate)))
            progress.advance(task)
    console.print(table(found))
    failures, remarks = troubles(found)
    for remark in remarks:
        console.print(f"By the way: {remark}.")
    for failure in failures:
        console.print(f"[red]Failed:[/] {failure}.")
    if not failures:
        console.print("Nothing was lost or doubled, and all received one order of ours.")
    if file is not None:
        options = {"rate": rate, "seconds": seconds, "burst": burst, "runs": runs}
        file.write_text(as_json(found, {**options, "deflate": deflate}), encoding="utf-8")
    sys.exit(1 if failures else 0)


async def measure(
    side: Side, size: int, rate: float, seconds: float, burst: int, deflate: bool
) -> Run:
    """One run of one side, with a server and a database of its own."""
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as folder:
        env = {"LABCHAT_URL": f"sqlite:///{folder}/bench.db"}
        async with (
            running(side.command, env, Path(folder) / "server.log") as port,
            Crowd(side, port, size, deflate) as crowd,
        ):
            await crowd.talk(WARM_UP, rate)
            return Run(side.name, size, await crowd.talk(seconds, rate), await crowd.burst(burst))


def _progress(console: Console) -> Progress:
    text = TextColumn("{task.description:<28}")
    columns = text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    return Progress(*columns, console=console, transient=True)


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    try:
        import uvloop
    except ImportError:  # there is none for Windows
        return None
    return uvloop.new_event_loop


if __name__ == "__main__":
    main(prog_name="python -m tests.bench")
