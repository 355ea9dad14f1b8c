"""What tests of all suites share: real databases, and asyncio."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from shiny_labchat import Lab
from shiny_labchat.store import parse as parse_url
from shiny_labchat.store.postgres_server import Server
from shiny_labchat.store.sqlite import parse
from shiny_labchat.store.sqlite_file import File
from tests.support.backend import BACKENDS, Backend, Databases, with_environment
from tests.support.postgres import PostgresServer

# How long an example takes is up to the machine.
settings.register_profile("usual", deadline=None, max_examples=50)
settings.register_profile("long", deadline=None, max_examples=500)
settings.load_profile("long" if os.environ.get("LABCHAT_LONG") == "1" else "usual")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--backend",
        choices=BACKENDS,
        default=BACKENDS[0],
        help="What the suites contract, integration and browser have as database and bus.",
    )


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave to the usual run what is of files of SQLite only."""
    if Backend.asked(config).engine != "sqlite":
        left = [item for item in items if "sqlite_only" in getattr(item, "fixturenames", ())]
        items[:] = [item for item in items if item not in left]
        config.hook.pytest_deselected(items=left)


@pytest.fixture(scope="session")
def backend(pytestconfig: pytest.Config) -> Backend:
    """The database and the bus that are asked for."""
    return Backend.asked(pytestconfig)


@pytest.fixture(scope="session", autouse=True)
def _environment(backend: Backend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with with_environment(backend, tmp_path_factory.mktemp("ledgers")):
        yield


@pytest.fixture(scope="session")
def databases(
    backend: Backend,
    empty_database: Path,
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
) -> Databases:
    """Databases of the kind that is asked for; those that it makes stay until the end."""
    is_file = backend.engine == "sqlite"
    server = None if is_file else request.getfixturevalue("postgres")
    return Databases(server, empty_database, lambda: tmp_path_factory.mktemp("lab"))


@pytest.fixture
def fresh_url(databases: Databases) -> Iterator[Callable[[], str]]:
    """Make a database, and give its URL; those of the test are dropped at its end."""
    made: list[str] = []

    def make() -> str:
        made.append(databases.make())
        return made[-1]

    yield make
    for each in made:
        databases.drop(each)


@pytest.fixture
def sqlite_only() -> None:
    """Asked for by tests of what is about a file of SQLite: they run on no other database."""


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
