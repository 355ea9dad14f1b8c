"""An app whose record is in PostgreSQL: two servers of it, people on both, and a crash."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from shiny_labchat import Lab, Rules
from tests.support.client import Browser, browser
from tests.support.postgres import PostgresServer
from tests.support.server import Server, shiny_run

from .conftest import APP, Come, ticket

PATIENCE = 60
"""How long something may take on a busy machine, in seconds."""


@pytest.fixture
def url(postgres: PostgresServer) -> Iterator[str]:
    """A database without tables: the first server makes them."""
    yield postgres.make("app", template="template1")
    postgres.drop("app")


@pytest.fixture
def servers(url: str) -> Iterator[list[Server]]:
    made = [Server(shiny_run(APP), url) for _ in range(2)]
    for each in made:
        each.start()
    yield made
    for each in made:
        each.stop()


@pytest.fixture
def lab(url: str) -> Iterator[Lab]:
    lab = Lab(url)
    yield lab
    lab.log.close()


@pytest.fixture
async def come(servers: list[Server], lab: Lab) -> Come:
    """``come("ann", server)``: a browser of ann's, on one of the servers."""
    room = await lab.create_room("r", study="tests", rules=Rules(rate=None))

    @asynccontextmanager
    async def come_in(member: str, server: Server, after: str = "") -> AsyncIterator[Browser]:
        await room.add_member(member)
        raw = await ticket(room.log, room.key, member, f"page-of-{member}")
        async with browser(server.port) as opened:
            await opened.hello(after=after, ticket=raw)
            yield opened

    return come_in


async def talk(browsers: list[Browser], start: int) -> None:
    """Have everybody say ten things at once, and wait until all see all of them."""
    said = [
        each.send(f"{n}:{k}") for k, each in enumerate(browsers) for n in range(start, start + 10)
    ]
    await asyncio.gather(*said)
    for each in browsers:
        count = len(browsers) * (start + 10)
        await each.until(lambda each=each, count=count: len(each.items) == count, PATIENCE)


async def test_all_on_both_servers_see_all_in_one_order_also_when_one_is_killed(
    come: Come, servers: list[Server], lab: Lab, postgres: PostgresServer
) -> None:
    async with AsyncExitStack() as stack:
        people = [("ann", 0), ("bob", 1), ("cleo", 0), ("dan", 1)]
        browsers = [await stack.enter_async_context(come(who, servers[n])) for who, n in people]
        await talk(browsers, 0)
        servers[1].kill()
        await browsers[0].says("dan, bob?")
    servers[1].start()
    async with come("ann", servers[1]) as ann, come("bob", servers[1]) as bob:
        await ann.says("here again")
        await bob.sees("here again")
        stored = [message.content for message in await lab.room("r", study="tests").messages()]
        assert len(stored) == 42 and bob.texts == ann.texts == stored[-len(ann.texts) :]
    [(seqs, last)] = postgres.execute(
        "SELECT count(DISTINCT event.seq), max(event.seq) FROM event"
        " JOIN room ON room.key = event.room WHERE room.id = 'r'",
        "app",
    )
    assert seqs == last
