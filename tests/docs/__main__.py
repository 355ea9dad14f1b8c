"""Builds the documentation site into a folder, and fails if anything in it is wrong."""

from __future__ import annotations

from pathlib import Path

import click

from tests.docs.build import BuildError, build


@click.command(epilog="Example: python -m tests.docs site")
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
def main(folder: Path) -> None:
    """Build the documentation site into FOLDER."""
    try:
        build(folder)
    except BuildError as exc:
        raise click.ClickException(str(exc)) from exc


if __name__ == "__main__":
    main(prog_name="python -m tests.docs")
