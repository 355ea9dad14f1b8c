"""A server whose database was moved, and the one that has the new database."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from shiny_labchat import Lab, Rules
from shiny_labchat.access.tickets import ticket
from tests.support.client import browser
from tests.support.moving import moved
from tests.support.postgres import PostgresServer
from tests.support.server import Server, shiny_run

from .conftest import APP


@pytest.fixture
def new(postgres: PostgresServer) -> Iterator[str]:
    yield postgres.make("moved", template="template1")
    postgres.drop("moved")


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Server]:
    server = Server(shiny_run(APP), f"sqlite:///{tmp_path / 'lab.db'}")
    server.start()
    yield server
    server.stop()


def ask(app: Server) -> tuple[int, object]:
    address = f"http://127.0.0.1:{app.port}/labchat/health/ready"
    answer = httpx.get(address, trust_env=False, timeout=60)
    return answer.status_code, answer.json().get("why")


async def test_a_socket_goes_on_in_the_new_database_where_it_was(app: Server, new: str) -> None:
    lab = Lab(app.url)
    room = await lab.create_room("r", study="tests", rules=Rules(rate=None))
    await room.add_member("ann")
    raw = await ticket(room.log, room.key, "ann", "page-of-ann")
    async with browser(app.port) as ann:
        welcome = await ann.hello(ticket=raw)
        await ann.says("before", "cid-1")
        await asyncio.to_thread(moved, app.url, new)
        assert await ann.tries("during") == "store_moved"
        await ann.settles()
        upto = ann.upto
    lab.log.close()
    assert await asyncio.to_thread(ask, app) == (503, ["store_moved"])
    app.stop()
    app.url = new
    app.start()
    async with browser(app.port) as ann:
        await ann.hello(resume=welcome["resume"], after=upto)
        await ann.says("before", "cid-1")  # it was stored in the old database already
        await ann.says("after")
        assert ann.texts == ["after"]
    after = Lab(new)
    texts = [each.content for each in await after.room("r", study="tests").messages()]
    after.log.close()
    assert texts == ["before", "after"]
