"""Servers of one lab that are restarted one after the other, with a newer version."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import count
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Rules
from shiny_labchat.store.migrate import SCHEMA
from tests.support.newer_version import NEWER, newer_version, of_version
from tests.support.page import page
from tests.support.reconnecting_client import ReconnectingClient, agree, reconnecting_client
from tests.support.server import Server, shiny_run

APP = shiny_run(Path(__file__).parents[1] / "apps" / "room.py")


@pytest.fixture
def newer(tmp_path: Path, lab: Lab) -> Iterator[list[Server]]:
    """Two servers of a newer version, which migrates the database; they are not started yet."""
    command = of_version(newer_version(tmp_path), APP)
    servers = [Server(command, lab.url) for _ in range(2)]
    with ExitStack() as started:
        for each in servers:
            started.callback(each.stop)
        yield servers


async def talk(people: list[ReconnectingClient], until: asyncio.Future[None]) -> None:
    """Have people talk in turn until something is done, and for a while after it."""
    after = 0
    for n in count():
        await people[n % len(people)].says(f"{n}")
        after += until.done()
        if after > 10:
            return


async def schema_of(lab: Lab) -> str:
    found = sa.text("SELECT version_num FROM labchat_version")
    return await lab.log.read(lambda conn: conn.execute(found).scalar_one())


async def test_old_and_new_servers_serve_one_lab_side_by_side(
    lab: Lab, server: Server, newer: list[Server]
) -> None:
    room = await lab.create_room("lobby", study="tests", rules=Rules(rate=None))
    other = Server(APP, lab.url)
    other.start()
    async with (
        reconnecting_client(server.port, room, "ann") as ann,
        reconnecting_client(other.port, room, "bob") as bob,
        reconnecting_client(other.port, room, "cleo") as cleo,
    ):
        people = [ann, bob, cleo]
        for old, new, moved in ((other, newer[0], (bob, cleo)), (server, newer[1], (ann,))):
            starting = asyncio.ensure_future(asyncio.to_thread(new.start))
            await talk(people, until=starting)
            for each in moved:
                each.port = new.port
            ending = asyncio.ensure_future(asyncio.to_thread(old.stop))
            await talk(people, until=ending)
            assert await schema_of(lab) == NEWER
        await agree(people, room)
    assert not [line for each in (server, other, *newer) for line in each.log if "Error" in line]


async def test_an_old_server_that_starts_where_a_newer_one_has_been_says_what_to_do(
    lab: Lab, server: Server, newer: list[Server]
) -> None:
    assert await schema_of(lab) == SCHEMA
    newer[0].start()
    async with page(newer[0].port):
        assert await schema_of(lab) == NEWER
    server.stop()
    server.start()
    async with page(server.port):
        server.logs("install a newer shiny_labchat")
