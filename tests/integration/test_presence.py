"""Who is here, idle, away or gone, by real sockets, in one process and in two."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.domain.events import Event
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.server import Server, shiny_run

from .conftest import log_of

APP = Path(__file__).parent / "apps" / "present.py"
HOUR = 3_600_000
"""In milliseconds."""
RULES = Rules(rate=None, gone_after=10, log_presence=True)
WITHIN = 60.0
"""How long a change of presence is waited for, in seconds."""


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """A lab of the test's own, from this process, which has no pages."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
async def room(lab: Lab) -> Room:
    return await lab.create_room("asking-1", study="tests", rules=RULES)


@pytest.fixture
def servers(lab: Lab, room: Room) -> Iterator[list[Server]]:
    """Two servers of one database, not started."""
    both = [Server(shiny_run(APP), lab.url) for _ in range(2)]
    yield both
    for server in both:
        server.stop()


@asynccontextmanager
async def come(
    room: Room, server: Server, member: str, *, reads: bool = True, hidden: int = 0, quiet: int = 0
) -> AsyncIterator[Browser]:
    """A page of a member's, which goes on reading by itself; for how long it is what, in ms."""
    await room.add_member(member)
    raw = await ticket(room.log, room.key, member, f"page-of-{member}-{server.port}")
    async with browser(server.port) as opened:
        opened.hidden, opened.quiet = hidden, quiet
        await opened.hello(ticket=raw)
        reading = asyncio.create_task(_read(opened)) if reads else None
        yield opened
        if reading is not None:
            reading.cancel()


async def _read(page: Browser) -> None:
    with suppress(ConnectionClosed):
        while True:
            await page.until(lambda: False, within=3_600)


def presences(log: Sequence[Event]) -> list[tuple[str, str]]:
    return [(event.member or "", event.data["state"]) for event in log if event.kind == "presence"]


async def logs(room: Room, *wanted: tuple[str, str]) -> list[tuple[str, str]]:
    """Wait until a room's log has these changes, in whatever order; gives all that it has."""

    async def has_all() -> bool:
        return {*wanted} <= {*presences(await log_of(room))}

    await _until(room, has_all)
    return presences(await log_of(room))


async def _until(room: Room, is_so: Callable[[], Awaitable[bool]]) -> None:
    """Wait for what another process writes."""
    news = asyncio.Event()
    end = room.log.overhear(lambda heard: news.set())
    try:
        async with asyncio.timeout(WITHIN):
            while not await is_so():
                await news.wait()
                news.clear()
    finally:
        end()


async def test_what_pages_answer_is_what_is_logged_and_told(
    lab: Lab, room: Room, servers: list[Server]
) -> None:
    servers[0].start()
    at = servers[0]
    async with (
        come(room, at, "ann"),
        come(room, at, "bob", hidden=HOUR, quiet=HOUR) as bob,
        come(room, at, "eve", quiet=HOUR) as eve,
        come(room, at, "dan", hidden=HOUR, quiet=HOUR),
        come(room, at, "dan"),
    ):
        await logs(room, ("ann", "here"), ("bob", "away"), ("eve", "idle"), ("dan", "here"))
        eve.hidden, bob.hidden, bob.quiet = None, 0, 0
        found = await logs(room, ("eve", "gone"), ("bob", "here"))
        assert not {("ann", "gone"), ("ann", "idle"), ("dan", "away"), ("bob", "gone")} & {*found}
        eve.hidden = eve.quiet = 0
        await logs(room, ("eve", "here"))
    found = await logs(room, *((member, "gone") for member in ("ann", "bob", "eve", "dan")))
    await _until(room, lambda: _is_told(lab, found))


async def _is_told(lab: Lab, changes: list[tuple[str, str]]) -> bool:
    told = [message.content for message in await lab.room("told", study="tests").messages()]
    return sorted(told) == sorted(f"asking-1 {member} {state}" for member, state in changes)


async def test_who_is_heard_by_any_process_is_not_gone_and_each_change_is_logged_once(
    room: Room, servers: list[Server]
) -> None:
    for server in servers:
        server.start()
    async with come(room, servers[0], "bob") as stays, come(room, servers[0], "ann"):
        async with come(room, servers[1], "bob") as goes, come(room, servers[1], "eve"):
            await logs(room, ("ann", "here"), ("bob", "here"), ("eve", "here"))
            goes.hidden = None
        await logs(room, ("eve", "gone"))  # as bob would be, too, by what the second has heard
        stays.hidden = None
        found = await logs(room, ("bob", "gone"))
        assert ("ann", "gone") not in found
        assert len(found) == len({*found})


async def test_who_was_here_when_the_server_was_killed_is_gone_if_they_do_not_return(
    room: Room, servers: list[Server]
) -> None:
    servers[0].start()
    async with come(room, servers[0], "ann"), come(room, servers[0], "bob"):
        await logs(room, ("ann", "here"), ("bob", "here"))
        servers[0].kill()
    servers[1].start()
    async with come(room, servers[1], "ann"):
        found = await logs(room, ("bob", "gone"))
        assert found == [*found[:2], ("bob", "gone")]


async def test_where_nothing_asks_no_page_is_asked_and_nothing_is_logged(
    lab: Lab, room: Room, servers: list[Server]
) -> None:
    quiet = await lab.create_room("quiet", study="tests", rules=Rules(rate=None))
    servers[0].start()
    async with come(quiet, servers[0], "ann") as ann, come(room, servers[0], "bob") as bob:
        await logs(room, ("bob", "here"))
        assert [frame for frame in ann.frames if frame["t"] == "ping"] == []
        assert {"t": "ping"} in bob.frames
    assert presences(await log_of(quiet)) == []


async def test_all_pages_of_a_person_ask_until_one_has_answered(
    room: Room, servers: list[Server]
) -> None:
    """The programme that asks is in another process than the pages, which are in two."""
    for server in servers:
        server.start()
    async with (
        come(room, servers[0], "ann", reads=False) as one,
        come(room, servers[1], "ann", reads=False) as other,
        come(room, servers[0], "bob") as bob,
    ):
        asking = asyncio.ensure_future(room.ask_presence("ann", within=30))
        [id] = {(await _asked(page))["id"] for page in (one, other)}
        async with come(room, servers[1], "ann", reads=False) as late:
            assert 0 < (await _asked(late))["within"] <= 30_000
        await other.tell(t="confirm", id=id)
        assert await asyncio.wait_for(asking, 10)
        for page in (one, other):
            assert (await _asked(page, number=2))["id"] is None
        assert [frame for frame in bob.frames if frame["t"] == "asked"] == []


async def _asked(page: Browser, number: int = 1) -> dict[str, Any]:
    """Wait until a page was told so often what is asked; gives the last of these frames."""

    def found() -> list[dict[str, Any]]:
        return [frame for frame in page.frames if frame["t"] == "asked"]

    await page.until(lambda: len(found()) >= number)
    return found()[number - 1]


async def test_a_question_that_is_not_answered_is_taken_back(
    room: Room, servers: list[Server]
) -> None:
    servers[0].start()
    async with come(room, servers[0], "ann", reads=False) as ann:
        assert not await room.ask_presence("ann", within=1)
        assert (await _asked(ann, number=2))["id"] is None
        await ann.tell(t="confirm", id=(await _asked(ann))["id"])
        await ann.tell(t="confirm", id="x")
    assert "presence_confirmed" not in [event.kind for event in await log_of(room)]
