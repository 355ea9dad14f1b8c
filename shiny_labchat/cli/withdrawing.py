"""The commands `labchat withdraw` and `labchat retain`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from shiny_labchat.cli.database import db_option, file_of, lab_of, run
from shiny_labchat.cli.people import as_params
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.retention import Retained
from shiny_labchat.lab.retention import retain as delete_due
from shiny_labchat.lab.withdrawing import clean
from shiny_labchat.lab.withdrawing import withdraw as withdraw_from
from shiny_labchat.store import find_arrivals

__all__ = ["retain", "withdraw"]


@click.command(
    epilog="Example: labchat withdraw person-3f0c --study pilot. By what the recruiter says: "
    "labchat withdraw --find PROLIFIC_PID=5f3c0ffee0"
)
@click.argument("person", required=False)
@db_option
@click.option("--study", help="Only in this study. Default: in all in which there is this id.")
@click.option("--find", "params", multiple=True, callback=as_params, metavar="NAME=VALUE",
              help="In place of PERSON: whom the recruiter means. All that are given must be what "
              "the recruiter said.")  # fmt: skip
@click.option("--quotes", is_flag=True,
              help="Also blank 30 or more characters in a row that others quote.")  # fmt: skip
@click.option("--vacuum", is_flag=True,
              help="Write the whole file anew, however large, so that nothing is left in it of "
              "what was deleted. Without PERSON, do only this. Others wait meanwhile.")  # fmt: skip
@click.option("--yes", is_flag=True, help="Do not ask.")
def withdraw(
    person: str | None,
    db: Path | None,
    study: str | None,
    params: dict[str, str],
    quotes: bool,
    vacuum: bool,
    yes: bool,
) -> None:
    """
    Withdraw all data of PERSON: the id of a person of a study, or of a member of a room.

    Their words, answers and names are blanked, and their id becomes a random one, everywhere. It
    cannot be undone. The new id is printed; then each export taken before that has their words.
    """
    if (person is None) == (not params) and not (vacuum and person is None):
        raise click.UsageError("give the id of a PERSON, or --find NAME=VALUE")

    async def do() -> None:
        lab = lab_of(db)
        for each, where in await _people(lab, person, params, study):
            asks = sys.stdin.isatty() and not yes
            if asks and not click.confirm(f"Withdraw {each}? It cannot be undone", err=True):
                raise click.Abort
            how = "always" if vacuum else "small"
            done = await withdraw_from(lab.log, each, where, quotes=quotes, how=how)
            click.echo(done.id)
            for sha256 in done.exports:
                click.echo(f"Destroy the export with the SHA-256 {sha256}", err=True)
            _tell_of_rest(lab, done.is_clean)
        if person is None and not params:
            _tell_of_rest(lab, (await clean(lab.log, "always")).is_clean)

    run(do())


async def _people(
    lab: Lab, person: str | None, params: dict[str, str], study: str | None
) -> list[tuple[str, str | None]]:
    """Whom a command means, and in which study."""
    if person is not None:
        return [(person, study)]
    if not params:
        return []
    found = await lab.log.read(lambda conn: find_arrivals(conn, params, study))
    if not found:
        raise click.ClickException(
            f"nobody has come to {file_of(lab)} with this, or it was deleted on its date"
        )
    return [(each.person, each.study) for each in found]


def _tell_of_rest(lab: Lab, is_clean: bool) -> None:
    if is_clean:
        click.echo(f"Nothing is left in the files of {file_of(lab)}", err=True)
    else:
        click.echo(
            f"The rows are blank, but pieces of what was deleted may still be in the files of "
            f"{file_of(lab)}; stop the app, and run: labchat withdraw --vacuum",
            err=True,
        )


@click.command(epilog="Example: labchat retain. For a daily job: labchat retain --db /srv/lab.db")
@click.option("--study", help="Only of this study.")
@db_option
def retain(study: str | None, db: Path | None) -> None:
    """
    Delete what studies have kept of people until the days that they have set.

    A running app does so by itself, at its start and once a day. Prints one line for each study:
    name, what it keeps until when, and what was deleted now.
    """

    async def do() -> None:
        for each in await delete_due(lab_of(db).log, study):
            click.echo("\t".join(_in_line(each)))

    run(do())


def _in_line(done: Retained) -> list[str]:
    days, counts = done.retention, {"ids": done.ids, "words": done.words}
    said = [
        f"{name} until {'for ever' if day is None else day}, of {counts[name]} people deleted now"
        for name, day in days._asdict().items()
    ]
    return [done.study, *said]
