"""The command `labchat doctor`."""

from __future__ import annotations

import click

from shiny_labchat.cli.database import run, url_of
from shiny_labchat.doctor.finding import Finding
from shiny_labchat.lab.runtime import NO_BUS

__all__ = ["doctor"]


@click.command(
    epilog="Example: labchat doctor --url sqlite:////srv/pilot/pilot.db "
    "--address https://lab.example.org/pilot/"
)
@click.option(
    "--url",
    help="The app's database. Default: the one in LABCHAT_URL, else labchat.db in this folder.",
)
@click.option(
    "--bus",
    envvar="LABCHAT_BUS",
    help="What tells its processes of each other, such as nats://127.0.0.1:4222. Default: the one "
    "in LABCHAT_BUS, else none.",
)
@click.option("--address", help="The address at which browsers reach the app. Default: none.")
@click.option(
    "--idle",
    type=click.FloatRange(0),
    default=0.0,
    help="Also look whether a websocket lasts for so many seconds on which nothing is sent; "
    "70 finds most proxies that end it.",
)
def doctor(url: str | None, bus: str | None, address: str | None, idle: float) -> None:
    """
    Say what is wrong with machine, database, bus and server of an app, and what to change.

    Run it where the app runs, as its user. Nothing in the database is changed; a small file is
    left beside an SQLite database, to learn whether the disk is kept over a restart. The exit
    status is 1 if anything is wrong; notes may be wanted as they are.
    """
    if idle and address is None:
        raise click.UsageError("--idle needs the --address to which a websocket is opened")
    run(_look(url, bus, address, idle))


async def _look(url: str | None, bus: str | None, address: str | None, idle: float) -> None:
    # What these import takes long, and no other command needs it.
    from shiny_labchat.doctor.address import Address
    from shiny_labchat.doctor.run import examine

    place = None if address is None else Address.of(address)
    wrongs = 0
    async for finding in examine(url or url_of(None), None if bus == NO_BUS else bus, place, idle):
        click.echo(_line(finding))
        wrongs += finding.verdict == "wrong"
    if address is None:
        click.echo("no server was looked at: give its --address", err=True)
    if wrongs:
        raise click.ClickException(f"{wrongs} thing{'s are' if wrongs > 1 else ' is'} wrong")


def _line(finding: Finding) -> str:
    line = f"{finding.verdict:<6} {finding.about}: {finding.says}"
    return f"{line}\n{'':<6} -> {finding.change}" if finding.change else line
