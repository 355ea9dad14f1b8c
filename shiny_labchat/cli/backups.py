"""The commands `labchat backup` and `labchat restore`."""

from __future__ import annotations

import asyncio
from pathlib import Path

import click

from shiny_labchat.cli.database import db_option, file_of, lab_of, run, url_of
from shiny_labchat.cli.progress import progress_bar
from shiny_labchat.lab.restoring import restore as put_back
from shiny_labchat.store import parse
from shiny_labchat.store.backup import Contents, back_up
from shiny_labchat.store.sqlite import file_of as path_of

__all__ = ["backup", "restore"]


@click.command(epilog="Example: labchat backup pilot-2026-11-30.db. Put it back with: "
               "labchat restore pilot-2026-11-30.db")  # fmt: skip
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@db_option
def backup(file: Path, db: Path | None) -> None:
    """
    Copy the database to a new FILE, while the app may run, and check the copy.

    The FILE has everything that people have said, and of those who withdraw later, too. When it is
    put back with `labchat restore`, they are withdrawn again.
    """

    async def copy() -> None:
        lab = lab_of(db)
        with progress_bar("Copying") as tell:
            contents = await asyncio.to_thread(back_up, path_of(lab.log.url), file, tell)
        click.echo(f"Copied {_in_words(contents)} of {file_of(lab)} to {file}", err=True)

    run(copy())


@click.command(epilog="Example: labchat restore pilot-2026-11-30.db --db labchat.db")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@db_option
@click.option("--force", is_flag=True,
              help="Also if the database is newer than FILE: what came since is lost.")  # fmt: skip
def restore(file: Path, db: Path | None, force: bool) -> None:
    """
    Put a backup in the place of the database. The app must be stopped.

    Who has withdrawn since it was made is withdrawn again, by the ledger beside the database.
    """

    async def put() -> None:
        url = parse(url_of(db))
        with progress_bar("Copying") as tell:
            done = await put_back(url, file, force=force, progress=tell)
        click.echo(f"Put back {_in_words(done.contents)} in {path_of(url)}", err=True)
        if done.ledger.exists():
            click.echo(f"Withdrew {done.withdrawn} people again, by {done.ledger}", err=True)
        else:
            click.echo(
                f"There is no ledger {done.ledger}: if the database has been elsewhere, copy the "
                "ledger from there, and start the app, or restore again",
                err=True,
            )

    run(put())


def _in_words(contents: Contents) -> str:
    return f"{contents.rows['event']} events in {contents.rows['room']} logs"
