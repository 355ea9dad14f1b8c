"""What tests of all suites share: real databases, and asyncio."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from shiny_labchat import Lab
from shiny_labchat.store import parse as parse_url
from shiny_labchat.store.postgres_server import Server
from shiny_labchat.store.sqlite import parse
from shiny_labchat.store.sqlite_file import File
from tests.support.postgres import PostgresServer

# How long an example takes is up to the machine.
settings.register_profile("usual", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=500)
settings.load_profile("long" if os.environ.get("LABCHAT_LONG") == "1" else "usual")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database without rooms, to be copied: that takes less time than to make one."""
    path = tmp_path_factory.mktemp("empty") / "lab.db"
    File(parse(f"sqlite:///{path}")).prepare(make=True)
    return path


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A PostgreSQL server; its database "template_labchat" has the tables, and no rooms."""
    server = PostgresServer()
    Server(parse_url(server.url("template_labchat"))).prepare(make=True)
    yield server
    server.stop()


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The URL of a database that nobody has opened yet."""
    return f"sqlite:///{tmp_path / 'lab.db'}"


@pytest.fixture
def lab(url: str) -> Iterator[Lab]:
    """A lab on a real file; its threads end with the test."""
    lab = Lab(url)
    yield lab
    lab.log.close()
