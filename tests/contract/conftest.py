"""The backends on which the log's contract is checked."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from shiny_labchat import Lab, Room, Rules
from tests.contract.odd_texts import Exported, export_texts


@pytest.fixture(params=["sqlite"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of a fresh database, once for each backend."""
    assert request.param == "sqlite"
    return f"sqlite:///{tmp_path / 'lab.db'}"


@pytest.fixture
async def room(lab: Lab, url: str, empty_database: Path) -> Room:
    """A room with members a and b, and no limit of rate."""
    path = Path(url.removeprefix("sqlite:///"))
    if not path.exists():
        shutil.copy(empty_database, path)
    room = await lab.create_room("r", study="s", rules=Rules(rate=None))
    for member in ("a", "b"):
        await room.add_member(member)
    return room


@pytest.fixture
def reopen(lab: Lab) -> Iterator[Lab]:
    """The same database through connections of its own, as after a restart."""
    from shiny_labchat.store.log import Log
    from shiny_labchat.store.sqlite import parse

    again = Lab(lab.url)
    again._log = Log(parse(lab.url))  # one log per URL and process: here a second one is wanted
    yield again
    again.log.close()


@pytest.fixture(scope="session")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Exported:
    """A log of a thousand texts, and its exports, which tests only read."""
    return export_texts(tmp_path_factory.mktemp("exported"))
