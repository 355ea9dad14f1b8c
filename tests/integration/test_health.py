"""What a server says of its health, while its database is well and while it is not."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "secret-lab.db"


@pytest.fixture
def watched(path: Path) -> Iterator[Server]:
    server = Server(shiny_run(APP), f"sqlite:///{path}")
    server.start()
    httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False)  # the script opens its lab
    yield server
    server.stop()


def ask(server: Server, what: str = "") -> tuple[int, dict[str, object]]:
    address = f"http://127.0.0.1:{server.port}/labchat/health{what}"
    answer = httpx.get(address, trust_env=False, timeout=60)
    assert "secret" not in answer.text
    return answer.status_code, answer.json()


def until(server: Server, status: int) -> dict[str, object]:
    """Ask until the server says so."""
    for _ in range(1_000):
        said, told = ask(server, "/ready")
        if said == status:
            return told
    raise AssertionError(f"it never said {status}")


def test_a_server_is_ready_as_long_as_it_can_store(watched: Server, path: Path) -> None:
    assert until(watched, 200) == {"status": "ready"}  # it makes its database first
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert until(watched, 503) == {"status": "not ready", "why": ["store_busy"]}
    assert ask(watched, "/live") == (200, {"status": "alive"})
    other.close()
    assert until(watched, 200) == {"status": "ready"}


def test_a_server_whose_database_is_gone_lives_and_is_not_ready(
    watched: Server, path: Path
) -> None:
    assert until(watched, 200)
    os.rename(path, path.with_suffix(".away"))
    assert until(watched, 503) == {"status": "not ready", "why": ["store_gone"]}
    assert ask(watched)[0] == 503
    assert ask(watched, "/live") == (200, {"status": "alive"})
    os.rename(path.with_suffix(".away"), path)
    until(watched, 200)


def test_a_server_says_which_process_and_version_it_is(watched: Server) -> None:
    first, second = ask(watched)[1], ask(watched)[1]
    assert first["process"] == second["process"] and first["version"] == second["version"]
    watched.kill()
    watched.start()
    assert ask(watched)[1]["process"] != first["process"]
