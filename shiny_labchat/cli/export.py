"""The command `labchat export`."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from shiny_labchat.cli.database import db_option, file_of, lab_of, run
from shiny_labchat.export.formats import FORMATS
from shiny_labchat.export.order import Order
from shiny_labchat.export.order import Progress as Tell
from shiny_labchat.export.run import export_messages
from shiny_labchat.lab.exporting import as_order, export, settle_streams
from shiny_labchat.lab.lab import Lab

__all__ = ["export_command"]


@click.command(
    "export",
    epilog="Example: labchat export --study pilot --out pilot-data. For other programs: labchat "
    "export --study pilot --format csv,parquet --out pilot-data. To look at the first messages: "
    "labchat export --study pilot --out - | head",
)
@click.option("--study", help="Only this study. Default: all.")
@click.option("--rooms", metavar="ID,...", help="Only these rooms, and the people in them.")
@click.option("--format", "formats", default="csv", show_default=True, metavar="NAME,...",
              help=f"The formats, of: {', '.join(FORMATS)}.")  # fmt: skip
@click.option("--out", required=True, metavar="DIR",
              help="The folder; - prints only the messages, as CSV. A folder that holds an export "
              "is replaced, any other that is not empty is refused.")  # fmt: skip
@click.option("--anonymise", is_flag=True,
              help="Write random ids in place of members' ids; they are drawn once for each "
              "study.")  # fmt: skip
@click.option("--new-ids", is_flag=True,
              help="With --anonymise: draw other ids, for this export alone.")  # fmt: skip
@click.option("--public", is_flag=True,
              help='Leave out the words of those who did not agree to the item "share" of the '
              "consent.")  # fmt: skip
@click.option("--since", metavar="TIME",
              help="Only what was sent since then, such as 2027-01-31T12:00:00Z, and what became "
              "of earlier rows.")  # fmt: skip
@click.option("--excel-safe", is_flag=True,
              help="Guard texts that Excel takes for formulas, which changes them.")  # fmt: skip
@db_option
def export_command(
    study: str | None, rooms: str | None, formats: str, out: str, anonymise: bool, new_ids: bool,
    public: bool, since: str | None, excel_safe: bool, db: Path | None,
) -> None:  # fmt: skip
    """
    Export the data: messages, members, rooms, answers, payments, events and bots' calls as tables.

    It may run while people talk. What each column means is in the file codebook.csv.
    """

    async def export_data() -> None:
        lab = lab_of(db)
        order = as_order(
            *(study, _split(rooms), _split(formats) or ()),
            **{"anonymise": anonymise, "public": public, "new_ids": new_ids},
            since=since,
            excel_safe=excel_safe,
        )
        if out == "-":
            await _print_messages(lab, order)
            return
        with _bar() as tell:
            made = await export(lab.log, out, order, tell)
        for table, count in made.counts.items():
            click.echo(f"{table}\t{count} rows", err=True)
        click.echo(f"Exported {file_of(lab)} to {made.folder}; sha256 {made.sha256}", err=True)

    try:
        run(export_data())
    except ImportError as exc:
        raise click.ClickException(str(exc)) from exc


def _split(names: str | None) -> Sequence[str] | None:
    if names is None:
        return None
    return [each for name in names.split(",") if (each := name.strip())]


async def _print_messages(lab: Lab, order: Order) -> None:
    await settle_streams(lab.log)
    try:
        await export_messages(lab.log, sys.stdout.buffer, order)
    except BrokenPipeError:  # such as `| head`, which has seen enough
        # Python would say at its end that it could not write what is left.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _bar() -> Generator[Tell | None]:
    """A bar that shows how far it is; None: nobody would see it."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield None
        return
    columns = TextColumn("Exporting"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn()
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("Exporting", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
