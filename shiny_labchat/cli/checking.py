"""The command `labchat check`."""

from __future__ import annotations

from pathlib import Path

import click

from shiny_labchat.export.checks import check_folder

__all__ = ["check"]


@click.command(epilog="Example: labchat check pilot-data")
@click.argument("folder", type=click.Path(path_type=Path))
def check(folder: Path) -> None:
    """
    Say what is wrong with the data set in a FOLDER: an export, or any in the form of Psych-DS.

    Each line names a file, what is wrong with it and what to do. The exit status is 1 if there is
    an error; notes are no errors.
    """
    errors = 0
    for found in check_folder(folder):
        click.echo(str(found))
        errors += found.is_error
    if errors:
        raise click.ClickException(f"{folder} has {errors} error{'s' if errors > 1 else ''}")
    click.echo(f"{folder} is valid", err=True)
