"""``python -m tests.soak``: people come and go for a long time; fail if the server grows."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path

import click

from tests.bench.servers import serving
from tests.bench.sides.ours import Ours
from tests.soak.people import Visitors, reading, streaming
from tests.soak.picture import picture
from tests.soak.plan import SHORTER, Plan
from tests.soak.samples import Sample, sampling
from tests.soak.verdict import verdicts

MINUTES = 40.0
"""How long a soak lasts if nothing else is asked for."""
TIMES = 60.0
"""How many times shorter times to live are in such a soak; in a shorter one, more times."""
SAMPLES = 40
"""How many samples are shown: in such a soak one each minute."""
SIDE = Ours("tests.soak.app:app")
EPILOG = """
\b
Examples:
  python -m tests.soak --picture soak.svg
  python -m tests.soak --streams 20 --reader
  python -m tests.soak --minutes 2 --rooms 250 --visits 2500
"""


_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(epilog=EPILOG)
@click.option("--minutes", default=MINUTES, show_default=True, help="How long it lasts.")
@click.option("--rooms", default=5_000, show_default=True, help="Rooms, visited in turn.")
@click.option("--visits", default=50_000, show_default=True, help="Visits, evenly over the time.")
@click.option("--streams", default=0, show_default=True, help="Rooms where a stream always runs.")
@click.option("--reader", is_flag=True, help="Somebody reads the database all the time.")
@click.option(
    "--shorter", type=float, help="How many times shorter times to live are [60 in 40 minutes]."
)
@click.option("--within", default=5.0, show_default=True, help="Percent by which memory may grow.")
@click.option("--picture", "drawing", type=_FILE, help="Draw memory and log, as SVG, into this.")
def main(
    minutes: float,
    rooms: int,
    visits: int,
    streams: int,
    reader: bool,
    shorter: float | None,
    within: float,
    drawing: Path | None,
) -> None:
    """
    Let people come and go for a long time, and see whether the server stays as it was.

    Two people come into each of the rooms in turn, again and again: first with a page, later with
    the token that they were given. Each says something, reads an older page, and leaves. Tokens
    that live for a day live so much shorter that they end within the soak.

    Ends with status 1 if memory has grown after the first tenth, if a table other than the record
    of events and the audit has grown in the last quarter, if the write-ahead log was ever larger
    than 16 MB, or if a visit has failed.
    """
    shorter = TIMES * MINUTES / minutes if shorter is None else shorter
    samples, faults = asyncio.run(_soak(Plan(minutes, rooms, visits, streams, reader, shorter)))
    found = verdicts(samples, within)
    for verdict in found:
        click.echo(f"{'holds' if verdict.holds else 'FAILS'}: {verdict.text}")
    for fault in faults:
        click.echo(f"FAILS: {fault}")
    if drawing is not None:
        drawing.write_text(picture(samples), encoding="utf-8")
    sys.exit(1 if faults or not all(verdict.holds for verdict in found) else 0)


async def _soak(plan: Plan) -> tuple[Sequence[Sample], list[str]]:
    seconds = 60 * plan.minutes
    async with serving(SIDE, "handle", variables={SHORTER: str(plan.shorter)}) as server:
        visitors = Visitors(server, SIDE, plan.rooms, plan.life)
        async with AsyncExitStack() as stack:
            if plan.streams:
                await stack.enter_async_context(streaming(server, SIDE, plan.streams))
            if plan.reader:
                await stack.enter_async_context(reading(server.database))
            every = seconds / SAMPLES
            samples = await stack.enter_async_context(sampling(server, visitors, every, _tell))
            await visitors.come(plan.visits, seconds)
    faults = [f"{number} visits: {what}" for what, number in visitors.faults.items()]
    return samples, faults


def _tell(sample: Sample) -> None:
    tables = ", ".join(f"{name} {rows:,}" for name, rows in sample.tables.items() if rows > 1)
    click.echo(
        f"{sample.at / 60:5.1f} min  {sample.visits:,} visits  memory {sample.memory:.1f} MB  "
        f"log {sample.wal:.1f} MB  {sample.sockets} sockets  slowest {sample.slowest:.0f} ms  "
        f"rows: {tables}"
    )


if __name__ == "__main__":
    main(prog_name="python -m tests.soak")
