"""``python -m tests.cluster``: several workers, of which some are killed while people talk."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from random import Random

import click

from tests.bench.clock import loop_factory
from tests.cluster.arrivals import arrivals as arrive
from tests.cluster.plan import Plan
from tests.cluster.run import run
from tests.cluster.verdict import of_record, of_times
from tests.support.reconnecting_client import seed

EPILOG = """
\b
Examples:
  python -m tests.cluster
  python -m tests.cluster --bus redis --bus-gone 30
  python -m tests.cluster --workers 2 --people 40 --rooms 8 --rate 20 --seconds 30
"""


@click.command(epilog=EPILOG)
@click.option("--workers", default=4, show_default=True, help="Processes of the app.")
@click.option("--people", default=200, show_default=True, help="People, each at one of them.")
@click.option("--rooms", default=40, show_default=True, help="Rooms, each with as many people.")
@click.option("--rate", default=100.0, show_default=True, help="Messages a second, of all people.")
@click.option("--quiet", default=20.0, show_default=True, help="Seconds before anything fails.")
@click.option("--seconds", default=60.0, show_default=True, help="Seconds in which something does.")
@click.option(
    "--every", default=20.0, show_default=True, help="Seconds between two killed workers."
)
@click.option(
    "--bus", type=click.Choice(["nats", "redis", "postgresql"]), default="nats", show_default=True
)
@click.option(
    "--bus-gone", default=0.0, show_default=True, help="Seconds without a bus, after that."
)
@click.option("--arrivals", default=0, help="So many people arrive at a study instead of talking.")
@click.option("--any-speed", is_flag=True, help="Only say what takes too long: others work here.")
def main(
    workers: int,
    people: int,
    rooms: int,
    rate: float,
    quiet: float,
    seconds: float,
    every: float,
    bus: str,
    bus_gone: float,
    arrivals: int,
    any_speed: bool,
) -> None:
    """
    Let people talk on several workers while these, the database and the bus are killed.

    The workers are processes of one app, with one PostgreSQL database and one bus. Each person
    is at one worker, and goes to another one when that is gone. Every 20 seconds a worker is
    killed, and started again; once the database, and once the bus. A callback notes each of its
    runs.

    Ends with status 1 if anything that was acknowledged is lost or doubled, if somebody is shown
    anything else than the log has, if it takes more than 5 seconds after a fault until messages
    come as fast as before, if they are more than ten times slower at other times than before the
    first fault, if a message takes more than 2 seconds while there is no bus, or if the callback
    did not run once for a message, but for what a killed worker had begun, which is marked.

    With --arrivals: if anybody is in two groups, or in none and without an end, or if the welcome
    of a group is not there once.
    """
    plan = Plan(workers, people, rooms, rate, quiet, seconds, every, bus, bus_gone)
    begin, chance = time.monotonic(), Random(seed())

    def tell(what: str) -> None:
        click.echo(f"{time.monotonic() - begin:6.1f} s  {what}")

    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        if arrivals:
            _, faults = runner.run(arrive(plan, arrivals, chance, tell))
            for fault in faults:
                click.echo(f"FAILS: {fault}")
            sys.exit(1 if faults else 0)
        with tempfile.TemporaryDirectory(prefix="labchat-cluster-") as folder:
            outcome = runner.run(run(plan, Path(folder) / "journal", chance, tell))
    record, times = of_record(outcome), of_times(outcome)
    for verdict in (*record, *times):
        click.echo(f"{'holds' if verdict.holds else 'FAILS'}: {verdict.text}")
    judged = record if any_speed else [*record, *times]
    sys.exit(0 if all(verdict.holds for verdict in judged) else 1)


if __name__ == "__main__":
    main(prog_name="python -m tests.cluster")
