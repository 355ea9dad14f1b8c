"""The database that a command is for."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Coroutine, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.lab import Lab
from shiny_labchat.store import studies, studies_with_rooms
from shiny_labchat.study.study import Study

__all__ = ["db_option", "file_of", "in_words", "lab_of", "run", "study_of", "url_of"]

db_option = click.option(
    "--db",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The app's database file. Default: the one in LABCHAT_URL, else labchat.db in this "
    "folder.",
)
"""The option that names the database."""


def run(command: Coroutine[Any, Any, None]) -> None:
    """Run a command, and say in words why it cannot be done."""
    with in_words():
        asyncio.run(command)


@contextmanager
def in_words() -> Generator[None]:
    """Say in words why a command cannot be done."""
    try:
        yield
    except (ImportError, LabChatError, OSError, TypeError, ValueError) as exc:
        raise click.ClickException(str(exc)) from exc


def lab_of(db: Path | None) -> Lab:
    """The lab that a command is for; its database must be there."""
    lab = Lab(url_of(db))
    if not lab.log.exists:
        raise click.ClickException(
            f"there is no database {file_of(lab)}: start the app once, which makes it, or name "
            "its file with --db"
        )
    return lab


async def study_of(lab: Lab, name: str | None, *, or_rooms: bool = False) -> Study:
    """
    The study that a command is for; None: the only one.

    `or_rooms`: also one that has rooms only, and neither people nor settings.

    Raises
    ------
    ValueError
        The database has no such study, or it has several and none is named.
    """
    known = await lab.log.read(studies_with_rooms if or_rooms else studies)
    names = ", ".join(known)
    if name is None and len(known) == 1:
        return Study(known[0], lab=lab)
    if name is None and known:
        raise ValueError(f"{file_of(lab)} has several studies; name one with --study: {names}")
    if name is None or name not in known:
        which = "no study" if name is None else f"no study {name!r}"
        only = f"; it has: {names}" if known else ", as nobody has come to one yet"
        raise ValueError(f"{file_of(lab)} has {which}{only}")
    return Study(name, lab=lab)


def file_of(lab: Lab) -> str:
    """The file of a lab's database."""
    return lab.url.removeprefix("sqlite:///")


def url_of(db: Path | None) -> str:
    """The URL of the database that a command is for."""
    if db is None and (said := os.environ.get("LABCHAT_URL")):
        return said
    return f"sqlite:///{(db or Path('labchat.db')).expanduser().resolve()}"
