"""One real server for most tests, and rooms that each test has for itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.domain.events import Event
from shiny_labchat.store import events_after, find_room
from tests.support.backend import Databases
from tests.support.client import Browser, browser
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"


@pytest.fixture(scope="session")
def url(databases: Databases) -> str:
    return databases.make()


@pytest.fixture(scope="session")
def lab(url: str) -> Iterator[Lab]:
    """The server's database, from this process."""
    lab = Lab(url)
    yield lab
    lab.log.close()


@pytest.fixture(scope="session")
def server(url: str) -> Iterator[Server]:
    """A server that all tests share; a test that ends its server starts its own."""
    server = Server(shiny_run(APP), url)
    server.start()
    yield server
    server.stop()


_rooms = count(1)


@pytest.fixture
async def room(lab: Lab) -> Room:
    """A room of the test's own, without limit of rate."""
    return await lab.create_room(f"room-{next(_rooms)}", study="tests", rules=Rules(rate=None))


Come = Callable[..., AbstractAsyncContextManager[Browser]]


@pytest.fixture
def come(server: Server, room: Room) -> Come:
    """``come("ann")``: a browser of ann's in the room, who is a member then."""

    @asynccontextmanager
    async def come_in(
        member: str,
        *,
        after: str = "",
        room: Room = room,
        port: int = server.port,
        **options: Any,
    ) -> AsyncIterator[Browser]:
        await room.add_member(member)
        raw = await ticket(room.log, room.key, member, f"page-of-{member}")
        async with browser(port, **options) as opened:
            await opened.hello(after=after, ticket=raw)
            yield opened

    return come_in


async def log_of(room: Room) -> list[Event]:
    """The whole log of a room."""

    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, room.key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await room.log.read(read)
