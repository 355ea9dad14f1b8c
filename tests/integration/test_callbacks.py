"""Callbacks in real servers: before anybody visits, after crashes, in several processes."""

from __future__ import annotations

import asyncio
import signal
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.callbacks.cursors import LEASE
from shiny_labchat.callbacks.scheduler import REGISTER_TIMEOUT
from shiny_labchat.callbacks.worker import TRIES
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import text_of
from shiny_labchat.lab.runtime import Runtime
from tests.contract.hearing import heard_in
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.database import held
from tests.support.page import page
from tests.support.server import ROOT, Server, shiny_run

from .conftest import log_of

APP = Path(__file__).parent / "apps" / "callbacks.py"
SESSION_CHAT = ROOT / "tests" / "browser" / "apps" / "wanted" / "session_chat.py"
WITHIN = LEASE / 1e6 + 10.0
"""How long another process's taking over is waited for, in seconds."""
HELD = REGISTER_TIMEOUT - 1.0
"""How long another process holds the database, in seconds."""


@pytest.fixture
def lab(fresh_url: FreshUrl) -> Iterator[Lab]:
    """A lab of the test's own, from this process, which has no callbacks."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
async def room(lab: Lab) -> Room:
    room = await lab.create_room("r", study="tests", rules=Rules(rate=None))
    await room.add_member("a")
    return room


@pytest.fixture
def servers(lab: Lab) -> Iterator[list[Server]]:
    """Two servers of one database, not started."""
    both = [Server(shiny_run(APP), lab.url) for _ in range(2)]
    yield both
    for server in both:
        server.stop()


class Said:
    """What is said in a room, as somebody elsewhere hears it."""

    def __init__(self, heard: asyncio.Queue[Event]) -> None:
        self.texts: list[str] = []
        self._heard = heard

    async def until(self, *texts: str) -> None:
        """Wait until all of these have been said."""
        async with asyncio.timeout(WITHIN):
            while not set(texts) <= set(self.texts):
                event = await self._heard.get()
                if event.kind == "message":
                    self.texts.append(text_of(event.data["parts"]))

    async def begins(self, what: str) -> str:
        """Wait until something begins with this; gives the rest of it."""
        async with asyncio.timeout(WITHIN):
            while True:
                for text in self.texts:
                    if text.startswith(what):
                        return text.removeprefix(what).strip()
                event = await self._heard.get()
                if event.kind == "message":
                    self.texts.append(text_of(event.data["parts"]))


@asynccontextmanager
async def listening(room: Room) -> AsyncIterator[Said]:
    await room.create()
    live = await Runtime.of(room.log).live.open(room.key)
    try:
        yield Said(heard_in(live))
    finally:
        live.leave()


# ── the wanted app ──


async def test_session_chat_answers_once_however_many_sessions_there_are(
    fresh_url: FreshUrl,
) -> None:
    """And no frame says what answered."""
    server = Server(shiny_run(SESSION_CHAT), fresh_url())
    server.start()
    try:
        async with AsyncExitStack() as stack:
            come = [await admitted(stack, server) for _ in range(8)]
            ann, bob = come[0], come[-1]
            await ann.says("Hello")
            await bob.says("Can you HELP me?")
            answer = f"{bob.welcome['you']['name']}, someone will be with you."
            for each in come:
                await each.sees("Hello", "Can you HELP me?", answer)
            await ann.says("help, too")
            answer = f"{ann.welcome['you']['name']}, someone will be with you."
            for each in come:
                await each.sees("help, too", answer)
                await each.settles()
                assert len(each.texts) == 5
                assert {item["role"] for item in each.items.values()} == {"user", "assistant"}
                assert "cause" not in str(each.frames) and "note" not in str(each.frames)
            assert {each.welcome["you"]["name"] for each in come} == {
                f"Player {n}" for n in range(1, 9)
            }
    finally:
        server.stop()
    assert not [line for line in server.log if "Traceback" in line or "Error" in line]


async def admitted(stack: AsyncExitStack, server: Server) -> Browser:
    """A page with a session, and its chat's socket."""
    opened = await stack.enter_async_context(page(server.port))
    socket = await stack.enter_async_context(browser(server.port))
    await socket.hello(ticket=await opened.ticket())
    return socket


# ── restarts ──


async def test_it_works_before_anybody_visits(servers: list[Server], room: Room) -> None:
    servers[0].start()
    async with listening(room) as said:
        await room.post("say hello", author="a")
        await said.until("a: hello")


async def test_a_mounted_app_to_which_the_start_is_passed_on_needs_no_visitor_either(
    lab: Lab,
) -> None:
    server = Server(["-m", "uvicorn", "tests.integration.apps.mounted:told"], lab.url)
    server.start()
    try:
        async with listening(room := lab.room("noted", study="tests")) as said:
            await room.post("hello")
            await said.until("Noted: hello")
    finally:
        server.stop()


async def test_a_server_that_is_killed_in_the_middle_begins_again_and_knows_it(
    servers: list[Server], room: Room
) -> None:
    """Also with what was said while it was gone, in order, each once."""
    server = servers[0]
    server.start()
    async with listening(room) as said:
        await room.post("say before", author="a")
        await room.post("hang up", author="a")
        await said.begins("hangs")
        await room.post("say after", author="a")
        server.kill()
        await room.post("say meanwhile", author="a")
        server.start()
        await said.until("a: up again", "a: after", "a: meanwhile")
        answers = [text for text in said.texts if text.startswith("a: ")]
        assert answers == ["a: before", "a: up again", "a: after", "a: meanwhile"]


@pytest.mark.parametrize("what", ["hang", "sync"])
async def test_a_server_that_is_told_to_end_leaves_what_it_was_at(
    servers: list[Server], lab: Lab, what: str
) -> None:
    """The next one need not wait until a promise has run out."""
    room = await lab.create_room(f"{what}-room", study="tests")
    await room.add_member("a")
    servers[0].start()
    async with listening(room) as said:
        await room.post("hang up", author="a")
        await said.begins("hangs")
        if what == "sync":
            await said.begins("blocks")
        servers[0].signal(signal.SIGINT if what == "sync" else signal.SIGTERM)
        async with asyncio.timeout(WITHIN):
            while servers[0].is_running:
                await room.members()
        servers[1].start()
        started = time.monotonic()
        await said.until("a: up again")
        assert time.monotonic() - started < LEASE / 2e6
    assert not [line for line in servers[1].log if "Traceback" in line]


async def test_a_message_that_kills_its_server_is_passed_over(
    servers: list[Server], room: Room
) -> None:
    server = servers[0]
    server.start()
    async with listening(room) as said:
        await room.post("die now", author="a")
        await room.post("say it", author="a")
        for _ in range(TRIES):
            async with asyncio.timeout(WITHIN):
                while server.is_running:
                    await room.members()
            server.start()
        await said.until("a: it")
    (over,) = [event for event in await log_of(room) if event.kind == "passed_over"]
    assert over.data["tries"] == TRIES and "ended" in over.data["error"]


async def test_a_server_that_has_started_hears_what_another_process_says(
    servers: list[Server], lab: Lab, room: Room
) -> None:
    """Whatever its start had to wait for: here the database, which another process holds."""
    with held(lab.url):
        starting = asyncio.create_task(asyncio.to_thread(servers[0].start))
        done, _ = await asyncio.wait([starting], timeout=HELD)
        assert not done
    await starting
    async with listening(room) as said:
        await room.post("say it", author="a")
        await said.until("a: it")


# ── several processes ──


async def test_two_servers_handle_each_message_once(
    servers: list[Server], lab: Lab, room: Room
) -> None:
    rooms = [room, *[await lab.create_room(f"r{n}", rules=Rules(rate=None)) for n in range(9)]]
    for each in rooms:
        await each.add_member("a")
    for server in servers:
        server.start()
    async with AsyncExitStack() as stack:
        said = [await stack.enter_async_context(listening(each)) for each in rooms]
        for n in range(10):
            await asyncio.gather(*(each.post(f"say {n}", author="a") for each in rooms))
        for each in said:
            await each.until(*(f"a: {n}" for n in range(10)))
    for each in rooms:
        texts = [message.content for message in await each.messages()]
        assert [text for text in texts if text.startswith("a: ")] == [f"a: {n}" for n in range(10)]


async def test_another_server_takes_over_when_one_dies(servers: list[Server], room: Room) -> None:
    for server in servers:
        server.start()
    async with listening(room) as said:
        await room.post("hang up", author="a")
        pid = int(await said.begins("hangs"))
        (dies,) = [server for server in servers if pid == server.pid]
        dies.kill()
        await room.post("say next", author="a")
        await said.until("a: up again", "a: next")
        answers = [text for text in said.texts if text.startswith("a: ")]
        assert answers == ["a: up again", "a: next"]


async def test_one_that_goes_on_for_long_is_left_to_it(servers: list[Server], room: Room) -> None:
    """Its server renews its promise, whatever the others think."""
    for server in servers:
        server.start()
    async with listening(room) as said:
        await room.post("hang up", author="a")
        await said.begins("hangs")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(LEASE / 1e6 + 2):
                await said.until("a: up again")
        assert len([text for text in said.texts if text.startswith("hangs")]) == 1


async def test_a_page_and_callbacks_share_a_server(servers: list[Server], lab: Lab) -> None:
    """What people say on pages is answered, and no page waits for a callback that hangs."""
    servers[0].start()
    async with AsyncExitStack() as stack:
        ann, bob = [await admitted(stack, servers[0]) for _ in range(2)]
        await ann.says("say hi")
        (member, _) = await lab.room("page", study="tests").members()
        for each in (ann, bob):
            await each.sees("say hi", f"{member.id}: hi")
        await ann.says("hang up")
        await bob.says("still here")
        await ann.until(lambda: "still here" in ann.texts)
