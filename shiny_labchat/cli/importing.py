"""The command `labchat import`."""

from __future__ import annotations

from pathlib import Path

import click

from shiny_labchat.cli.database import db_option, file_of, run, url_of
from shiny_labchat.cli.progress import progress_bar
from shiny_labchat.lab.importing import import_export
from shiny_labchat.lab.lab import Lab

__all__ = ["import_command"]


@click.command(
    "import",
    epilog="Example: labchat import pilot-data --db pilot-again.db. An export in CSV, JSON lines "
    "or Parquet can be imported; exporting it again gives the same files.",
)
@click.argument("folder", type=click.Path(path_type=Path))
@db_option
def import_command(folder: Path, db: Path | None) -> None:
    """
    Read the export in a FOLDER into a database, which is made if it is not there.

    A study that the database has already is refused. Whoever is in the ledger of withdrawals beside
    the database is withdrawn again.
    """

    async def import_data() -> None:
        lab = Lab(url_of(db))
        with progress_bar("Importing") as tell:
            done = await import_export(lab.log, folder, tell)
        made, studies = done.tables, ", ".join(done.tables.studies)
        click.echo(
            f"Imported {studies}: {made.rooms} rooms, {made.events} events, {made.calls} calls of "
            f"bots, into {file_of(lab)}",
            err=True,
        )
        if lab.log.ledger.exists:
            click.echo(
                f"Withdrew {done.withdrawn} people again, by {lab.log.ledger.path}", err=True
            )
        else:
            click.echo(
                f"There is no ledger {lab.log.ledger.path}: if people have withdrawn since the "
                "export, copy the ledger of its database there, and start the app",
                err=True,
            )

    try:
        run(import_data())
    except ImportError as exc:
        raise click.ClickException(str(exc)) from exc
