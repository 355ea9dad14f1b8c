"""The command `labchat report`."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import click

from shiny_labchat.cli.database import db_option, file_of, lab_of, run, study_of
from shiny_labchat.cli.export import progress_bar
from shiny_labchat.lab.exporting import settle_streams
from shiny_labchat.report.page import MARK
from shiny_labchat.report.run import report_of

__all__ = ["report"]


@click.command(
    epilog="Example: labchat report --study pilot --out pilot.html. With what people have written: "
    "labchat report --study pilot --with-text"
)
@click.option("--study", help="The study; it may be left out if there is one only.")
@db_option
@click.option("--out", default="report.html", show_default=True,
              type=click.Path(dir_okay=False, allow_dash=True), metavar="FILE",
              help="The file, which only you may read; - prints it. An older report is replaced, "
              "any other file is refused.")  # fmt: skip
@click.option("--with-text", is_flag=True,
              help="Also show what people have written. That is recorded as an export "
              "is.")  # fmt: skip
def report(study: str | None, db: Path | None, out: str, with_text: bool) -> None:
    """
    Write one page for looking at a study: who came how far, waits, talk, bots and their cost, pay.

    The page loads nothing from elsewhere, and has no text of participants unless you ask for it.
    It has their pseudonyms. Its numbers are those of labchat export.
    """

    async def write_report() -> None:
        _check_out(out)
        lab = lab_of(db)
        found = await study_of(lab, study, or_rooms=True)
        await settle_streams(lab.log)
        with progress_bar("Reading") as tell:
            page = await report_of(lab.log, found.name, tell, with_text=with_text)
        if out == "-":
            click.echo(page, nl=False)
            return
        _write(Path(out), page)
        click.echo(f"Wrote a report of study {found.name!r} in {file_of(lab)} to {out}", err=True)

    run(write_report())


def _check_out(out: str) -> None:
    """Refuse to replace a file that is no report."""
    path = Path(out)
    if out == "-" or not path.exists():
        return
    with path.open("rb") as file:
        if MARK.encode() not in file.read(1_000):
            raise click.ClickException(f"{out} is there already, and is no report: name another")


def _write(path: Path, page: str) -> None:
    """Put a file in place that only its owner may read, whole or not at all."""
    handle, name = tempfile.mkstemp(dir=path.absolute().parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(page)
        os.replace(name, path)
    except BaseException:
        os.unlink(name)
        raise
