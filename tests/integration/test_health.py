"""What a server says of its health, while its database is well and while it is not."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests.support.backend import FreshUrl
from tests.support.database import gone, held
from tests.support.postgres import PostgresServer
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"


@pytest.fixture
def watched(fresh_url: FreshUrl) -> Iterator[Server]:
    server = Server(shiny_run(APP), fresh_url())
    server.start()
    httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False)  # the script opens its lab
    yield server
    server.stop()


def ask(server: Server, what: str = "") -> tuple[int, dict[str, object]]:
    address = f"http://127.0.0.1:{server.port}/labchat/health{what}"
    answer = httpx.get(address, trust_env=False, timeout=60)
    assert "lab.db" not in answer.text and "lab_" not in answer.text
    return answer.status_code, answer.json()


def until(server: Server, status: int) -> dict[str, object]:
    """Ask until the server says so."""
    for _ in range(1_000):
        said, told = ask(server, "/ready")
        if said == status:
            return told
    raise AssertionError(f"it never said {status}")


def test_a_server_is_ready_as_long_as_it_can_store(watched: Server) -> None:
    assert until(watched, 200) == {"status": "ready"}
    with held(watched.url):
        assert until(watched, 503) == {"status": "not ready", "why": ["store_busy"]}
        assert ask(watched, "/live") == (200, {"status": "alive"})
    assert until(watched, 200) == {"status": "ready"}


def test_a_server_whose_database_is_gone_lives_and_is_not_ready(watched: Server) -> None:
    assert until(watched, 200)
    with gone(watched.url):
        assert until(watched, 503) == {"status": "not ready", "why": ["store_gone"]}
        assert ask(watched)[0] == 503
        assert ask(watched, "/live") == (200, {"status": "alive"})
    until(watched, 200)


def test_a_server_that_may_only_read_is_not_ready(
    postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Such as on a standby, or where a hosted database has stopped writing as its disk is full."""
    monkeypatch.setenv("LABCHAT_LEDGER", str(tmp_path))
    server = Server(shiny_run(APP), postgres.make("health"), bus="none")
    server.start()
    try:
        httpx.get(f"http://127.0.0.1:{server.port}/", trust_env=False)
        assert until(server, 200)
        postgres.execute("ALTER DATABASE health SET default_transaction_read_only = on")
        ended = "SELECT pg_terminate_backend(pid, 60000) FROM pg_stat_activity WHERE datname = "
        postgres.execute(f"{ended}'health'")
        assert until(server, 503) == {"status": "not ready", "why": ["store_read_only"]}
        postgres.execute("ALTER DATABASE health RESET default_transaction_read_only")
        postgres.execute(f"{ended}'health'")
        until(server, 200)
    finally:
        server.stop()
        postgres.drop("health")


def test_a_server_says_which_process_and_version_it_is(watched: Server) -> None:
    first, second = ask(watched)[1], ask(watched)[1]
    assert first["process"] == second["process"] and first["version"] == second["version"]
    watched.kill()
    watched.start()
    assert ask(watched)[1]["process"] != first["process"]
