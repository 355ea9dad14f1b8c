"""The kinds of databases, chosen by a URL or a connection."""

from __future__ import annotations

import os
from hashlib import blake2b
from pathlib import Path

import orjson
import sqlalchemy as sa

from shiny_labchat.store import postgres, sqlite
from shiny_labchat.store.engine import Engine, Place
from shiny_labchat.store.postgres_server import Server
from shiny_labchat.store.sqlite_file import File

__all__ = ["engine_of", "is_in_file", "ledger_of", "parse", "place_of"]


def parse(url: str) -> sa.URL:
    """
    The URL of a lab's database, such that the same database has the same URL.

    Raises
    ------
    ValueError
        It is not a database URL, or the log cannot be in a database of this kind.
    ImportError
        The driver of this kind of database is not installed.
    """
    is_on_server = url.partition(":")[0].partition("+")[0] in postgres.NAMES
    return postgres.parse(url) if is_on_server else sqlite.parse(url)


def is_in_file(url: sa.URL) -> bool:
    """Whether a database is a file."""
    return url.get_backend_name() == "sqlite"


def place_of(url: sa.URL) -> Place:
    """Where a database is."""
    return File(url) if is_in_file(url) else Server(url)


def engine_of(conn: sa.Connection) -> Engine:
    """What is of the kind of database only that a connection is to."""
    return sqlite if conn.dialect.name == "sqlite" else postgres


def ledger_of(url: sa.URL) -> Path:
    """
    The file that notes who has withdrawn, outside the database and its backups.

    It is beside the database, or where the environment variable ``LABCHAT_LEDGER`` says: a file, or
    a folder for the ledgers of several databases. That of a database on a server is in the current
    folder, unless it says something else. In a folder its name tells databases apart that have the
    same name at different addresses; one that an earlier version has made is used as it is.
    """
    said = os.environ.get("LABCHAT_LEDGER")
    if said and not Path(said).is_dir():
        return Path(said)
    if is_in_file(url):
        file = Path(sqlite.file_of(url)).absolute()
        if not said:
            return Path(f"{file}.withdrawn")
        name, address = file.name, [str(file)]
    else:
        name, address = url.database or "", postgres.address_of(url)
    folder = Path(said) if said else Path.cwd()
    earlier = folder / f"{name}.withdrawn"
    mark = blake2b(orjson.dumps(address), digest_size=4).hexdigest()
    return earlier if earlier.exists() else folder / f"{name}-{mark}.withdrawn"
