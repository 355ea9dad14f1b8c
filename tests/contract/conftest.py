"""The databases on which the log's contract is checked."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.store.schema import metadata
from tests.contract.odd_texts import Exported, export_texts
from tests.support.backend import USUAL, Backend
from tests.support.postgres import PostgresServer

BOTH = {
    "test_callbacks",
    "test_clocks",
    "test_conducting",
    "test_handled",
    "test_hearing",
    "test_lobby",
    "test_lobby_signs",
    "test_log",
    "test_moments",
    "test_networks",
    "test_people",
    "test_presence",
    "test_prompts",
    "test_recruits",
    "test_replacing",
    "test_retraction",
    "test_revoking",
    "test_rules",
    "test_skipping",
    "test_spending",
    "test_study",
    "test_together",
    "test_tokens",
    "test_withdrawing",
    "test_withdrawn_rooms",
}
"""
The files whose tests run on each kind of database, unless one is asked for: those of what is
stored, and of what several processes do at once. What is read to be exported, checked or shown is
the same SQLAlchemy Core for both, and its tests are about formats: they run on one. Tests of what
is SQLite's only ask for its file by the fixture `sqlite_file`.
"""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    name = str(getattr(metafunc.module, "__name__", "")).rpartition(".")[2]
    if "url" in metafunc.fixturenames and name != "test_postgres":
        backend = Backend.asked(metafunc.config)
        is_of_both = name in BOTH and "sqlite_only" not in metafunc.fixturenames
        kinds = ["sqlite", "postgresql"] if is_of_both else ["sqlite"]
        asked = kinds if backend == USUAL else [backend.engine]
        metafunc.parametrize("url", asked, indirect=True)


@pytest.fixture
def url(request: pytest.FixtureRequest, tmp_path: Path, backend: Backend) -> Iterator[str]:
    """The URL of a fresh database, once for each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'lab.db'}"
        return
    server: PostgresServer = request.getfixturevalue("postgres_with_lab")
    before = {name: os.environ.get(name) for name in ("LABCHAT_LEDGER", "LABCHAT_BUS")}
    (tmp_path / "ledgers").mkdir()
    os.environ["LABCHAT_LEDGER"] = str(tmp_path / "ledgers")
    if backend.engine == "sqlite":
        os.environ["LABCHAT_BUS"] = "none"  # what is checked here must hold without one
    # Of each URL there is one log in a process: so each test has its own.
    yield f"{server.url('lab')}?application_name={secrets.token_hex(6)}"
    server.empty("lab", metadata.tables)
    for name, value in before.items():
        os.environ.pop(name, None)
        os.environ |= {} if value is None else {name: value}


@pytest.fixture
def no_bus() -> Iterator[None]:
    """Labs have no bus, unless one is named."""
    before = os.environ.get("LABCHAT_BUS")
    os.environ["LABCHAT_BUS"] = "none"
    yield
    os.environ.pop("LABCHAT_BUS")
    os.environ |= {} if before is None else {"LABCHAT_BUS": before}


@pytest.fixture
def unsaid_bus() -> Iterator[None]:
    """Labs have the bus that their database has, unless one is named."""
    before = os.environ.pop("LABCHAT_BUS", None)
    yield
    os.environ |= {} if before is None else {"LABCHAT_BUS": before}


@pytest.fixture(scope="session")
def postgres_with_lab(postgres: PostgresServer) -> PostgresServer:
    """A server with a database "lab", which each test finds empty."""
    postgres.make("lab")
    return postgres


@pytest.fixture
def sqlite_file(url: str, sqlite_only: None) -> Path:
    """The file of the database, for tests of what only SQLite does."""
    return Path(url.removeprefix("sqlite:///"))


@pytest.fixture
async def room(lab: Lab, url: str, empty_database: Path) -> Room:
    """A room with members a and b, and no limit of rate."""
    if url.startswith("sqlite") and not (path := Path(url.removeprefix("sqlite:///"))).exists():
        shutil.copy(empty_database, path)
    room = await lab.create_room("r", study="s", rules=Rules(rate=None))
    for member in ("a", "b"):
        await room.add_member(member)
    return room


@pytest.fixture
def reopen(lab: Lab) -> Iterator[Lab]:
    """The same database through connections of its own, as after a restart."""
    from shiny_labchat.store import Log, parse

    again = Lab(lab.url)
    again._log = Log(parse(lab.url))  # one log per URL and process: here a second one is wanted
    yield again
    again.log.close()


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A log of a thousand texts, and its exports, which tests only read."""
    return export_texts(tmp_path_factory.mktemp("exported"))
