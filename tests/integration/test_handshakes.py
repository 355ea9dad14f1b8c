"""
Very many handshakes from one address: bounded, and no harm to who is in already.

The bounds are the gateway's; here somebody tries to take all there is.
"""

from __future__ import annotations

import asyncio
import json
import resource
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from pathlib import Path

import psutil
import pytest

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.access.tickets import ticket
from shiny_labchat.gateway.limits import SOCKETS_EACH, WAITING_PER_ADDRESS
from shiny_labchat.protocol import VERSION
from tests.support.backend import FreshUrl
from tests.support.client import Browser, browser
from tests.support.server import Server, shiny_run

APP = Path(__file__).parent / "apps" / "room.py"
SHORT, LONG = 1_200, 10_000
"""Handshakes in every run, and in a long one."""
SLOWEST = 5.0
"""The longest that an honest message may take meanwhile, in seconds."""
MEMORY = 150 * 2**20
"""What the server may grow by for a thousand sockets that wait, in bytes."""
AT_ONCE = 50
"""Handshakes that an attacker has under way at a time."""
MANY = pytest.mark.parametrize("many", [SHORT, pytest.param(LONG, marks=pytest.mark.long)])
UPGRADE = (
    "GET /labchat/ws HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nUpgrade: websocket\r\n"
    "Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.fixture
def own_server(fresh_url: FreshUrl) -> Iterator[Server]:
    """A server that nobody else has to do with, where thousands of sockets may be open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(8_192, hard), hard))
    server = Server(shiny_run(APP), fresh_url())
    server.start()
    yield server
    server.stop()
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture
async def own_room(own_server: Server) -> AsyncIterator[Room]:
    lab = Lab(own_server.url)
    room = await lab.create_room("r", study="tests", rules=Rules(rate=None))
    for member in ("ann", "bob"):
        await room.add_member(member)
    yield room
    lab.log.close()


@asynccontextmanager
async def comes(server: Server, room: Room, member: str) -> AsyncIterator[Browser]:
    async with browser(server.port) as opened:
        await opened.hello(ticket=await ticket(room.log, room.key, member, "page"))
        yield opened


class Honest:
    """Somebody who is in already and goes on talking."""

    def __init__(self, line: Browser) -> None:
        self.delays: list[float] = []
        self._line = line
        self._over = asyncio.Event()

    @asynccontextmanager
    async def talking(self) -> AsyncIterator[None]:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._talk())
            try:
                yield
            finally:
                self._over.set()
        assert len(self.delays) > 3
        assert max(self.delays) < SLOWEST, f"a message took {max(self.delays):.1f} s"

    async def _talk(self) -> None:
        while not self._over.is_set():
            start = time.monotonic()
            await self._line.says(f"honest {len(self.delays)}")
            self.delays.append(time.monotonic() - start)
            with suppress(TimeoutError):
                async with asyncio.timeout(0.05):
                    await self._over.wait()


class Attacker:
    """
    Opens sockets from one address.

    Attributes
    ----------
    told
        How often it was told each code.
    open
        How many of its sockets are open, and have been told nothing.
    """

    def __init__(self, port: int, first: bytes = b"") -> None:
        self.told: Counter[tuple[str, bool]] = Counter()
        self.open = self.most = 0
        self._port = port
        self._first = first
        self._gate = asyncio.Semaphore(AT_ONCE)
        self._stays: list[asyncio.Task[None]] = []

    async def opens(self, many: int) -> None:
        """Open so many sockets; they stay until the server ends them."""
        await asyncio.gather(*(self._open() for _ in range(many)))

    async def _open(self) -> None:
        async with self._gate, asyncio.timeout(30):
            reader, writer = await asyncio.open_connection("127.0.0.1", self._port)
            writer.write(UPGRADE.format(self._port).encode())
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 101 " in head, head
            writer.write(self._first)
            self.open += 1
            stay = asyncio.create_task(self._stay(reader, writer))
            self._stays.append(stay)
            if self._first:  # it is worth waiting for an answer
                await asyncio.shield(stay)

    async def _stay(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            heard = b""
            while b"}" not in heard and (more := await reader.read(4096)):
                heard += more
            self.open -= 1
            bye = json.loads(heard[heard.index(b"{") : heard.index(b"}") + 1])
            assert bye["t"] == "bye", bye
            self.told[bye["code"], bye["again"]] += 1
        finally:
            writer.transport.abort()

    async def leaves(self) -> None:
        """Go, all at once."""
        for stay in self._stays:
            stay.cancel()
        for done in await asyncio.gather(*self._stays, return_exceptions=True):
            if done is not None and not isinstance(done, asyncio.CancelledError):
                raise done


def masked(text: str) -> bytes:
    """A short text frame of a browser's; its mask is zero."""
    data = text.encode()
    return b"\x81" + bytes([0x80 | len(data)]) + bytes(4) + data


async def gets_in(server: Server, room: Room, member: str) -> None:
    """Come as a page does: again and again, if it is told to come again."""
    raw = await ticket(room.log, room.key, member, "page")
    async with asyncio.timeout(20):
        while True:
            async with browser(server.port) as opened:
                await opened.tell(t="hello", v=VERSION, after="", ticket=raw)
                await opened.until(lambda opened=opened: bool(opened.frames))
                if opened.welcome:
                    await opened.says("at last")
                    return
                assert opened.frames[0]["again"], opened.frames[0]


def memory_of(server: Server) -> int:
    return psutil.Process(server.pid).memory_info().rss


@MANY
async def test_sockets_that_say_nothing_are_bounded_and_harm_nobody(
    own_server: Server, own_room: Room, many: int
) -> None:
    attacker = Attacker(own_server.port)
    before = memory_of(own_server)
    async with comes(own_server, own_room, "ann") as ann, Honest(ann).talking():
        for _ in range(0, many, AT_ONCE):
            await attacker.opens(AT_ONCE)
            # Those that have just been turned away may not have read so yet.
            assert attacker.open <= WAITING_PER_ADDRESS + 4 * AT_ONCE
            assert memory_of(own_server) - before < MEMORY
        await attacker.leaves()
        assert set(attacker.told) <= {("busy", True), ("ticket", False)}
        await gets_in(own_server, own_room, "bob")
    assert own_server.is_running


async def test_who_comes_when_too_many_wait_is_told_to_come_again(
    own_server: Server, own_room: Room
) -> None:
    attacker = Attacker(own_server.port)
    while not attacker.told["busy", True]:  # those that are told nothing are let go after a while
        await attacker.opens(2 * AT_ONCE)
    async with browser(own_server.port) as late:
        await late.until(lambda: bool(late.frames))
        assert (late.frames[0]["code"], late.frames[0]["again"]) == ("busy", True)
        assert late.frames[0]["say"] and await late.ends() == 1013
    await attacker.leaves()
    await gets_in(own_server, own_room, "bob")


@MANY
async def test_bad_tickets_are_refused_and_harm_nobody(
    own_server: Server, own_room: Room, many: int
) -> None:
    hello = json.dumps({"t": "hello", "v": VERSION, "after": "", "ticket": "x" * 43})
    attacker = Attacker(own_server.port, masked(hello))
    before = memory_of(own_server)
    async with comes(own_server, own_room, "ann") as ann, Honest(ann).talking():
        await attacker.opens(many)
        assert attacker.told == {("ticket", False): many}
        assert memory_of(own_server) - before < MEMORY
        await attacker.leaves()
        await gets_in(own_server, own_room, "bob")


async def test_the_oldest_of_too_many_tabs_is_closed(own_server: Server, own_room: Room) -> None:
    async with AsyncExitStack() as stack:
        other = await stack.enter_async_context(comes(own_server, own_room, "bob"))
        tabs = [
            await stack.enter_async_context(comes(own_server, own_room, "ann"))
            for _ in range(SOCKETS_EACH)
        ]
        await tabs[0].says("all of them are open")
        newest = await stack.enter_async_context(comes(own_server, own_room, "ann"))
        goodbye = await tabs[0].hears("bye")
        assert (goodbye["code"], goodbye["again"]) == ("too_many_tabs", False)
        assert goodbye["say"] and await tabs[0].ends() == 4409
        await newest.says("and so are these")
        for one in (*tabs[1:], newest, other):
            await one.sees("all of them are open", "and so are these")


async def test_tabs_are_counted_by_room_and_place_is_free_again_at_once(
    own_server: Server, own_room: Room
) -> None:
    lab = Lab(own_server.url)
    second = await lab.create_room("second", study="tests")
    await second.add_member("ann")
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(comes(own_server, own_room, "ann"))
        for _ in range(SOCKETS_EACH):
            await stack.enter_async_context(comes(own_server, second, "ann"))
        for _ in range(2 * SOCKETS_EACH):
            async with comes(own_server, own_room, "ann"):
                pass
        await first.says("still here")
    lab.log.close()
