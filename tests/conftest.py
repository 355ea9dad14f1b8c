"""What tests of all suites share: real databases, and asyncio."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from shiny_labchat import Lab

settings.register_profile("labchat", deadline=None)  # how long it takes is up to the machine
settings.load_profile("labchat")


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


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
