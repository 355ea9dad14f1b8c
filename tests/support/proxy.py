"""A bad network, between browsers and a server of this machine: slow, torn, silent or gone."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from random import Random
from types import TracebackType
from typing import Literal, Self

__all__ = ["Proxy", "narrow"]

Way = Literal["up", "down"]
"""To the server, and from it."""
BUFFER = 4_096
"""What the proxy takes before it has passed it on, in bytes: what waits must wait elsewhere."""


class Proxy:
    """
    Passes bytes between its own port and a server's, as badly as it is told to.

    All of this may be changed while it runs, and counts for what is passed on from then on.

    Parameters
    ----------
    to
        The server's port.
    seed
        Decides when what happens to which connection.
    life
        A connection is dropped after so many bytes on average, anywhere in a frame, by a reset
        or by an end that looks orderly. None: never.
    delay
        The longest time that a piece is held back, in seconds; each has its own.
    pieces
        The most bytes passed on at once; how many, differs from piece to piece.
    rate
        Bytes per second that a connection brings down to the browser; None: all it can.

    Attributes
    ----------
    port
        Where browsers connect.
    dropped
        How many connections it has dropped.
    """

    def __init__(
        self,
        to: int,
        *,
        seed: int = 0,
        life: float | None = None,
        delay: float = 0.0,
        pieces: int = BUFFER,
        rate: float | None = None,
    ) -> None:
        self.to = to
        self.seed = seed
        self.life = life
        self.delay = delay
        self.pieces = pieces
        self.rate = rate
        self.port = 0
        self.dropped = 0
        self._flows: dict[Way, asyncio.Event] = {"up": asyncio.Event(), "down": asyncio.Event()}
        self._opened = 0
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None

    async def __aenter__(self) -> Self:
        for flow in self._flows.values():
            flow.set()
        await self.switch_on()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.switch_off()
        await asyncio.gather(*(link.ended() for link in tuple(self._links)))

    # ── what may happen to a network ──

    def stall(self, way: Way) -> None:
        """Read nothing more that goes this way: its sender's buffers fill."""
        self._flows[way].clear()

    def flow(self, way: Way) -> None:
        """Read again what goes this way."""
        self._flows[way].set()

    async def switch_on(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(
            self._accept, "127.0.0.1", self.port, limit=BUFFER
        )
        self.port = self._server.sockets[0].getsockname()[1]

    def switch_off(self, *, silently: bool = False) -> None:
        """
        Refuse new connections, and end the old ones.

        `silently`: neither side of an old one is told, nor hears from the other any more.
        """
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in tuple(self._links):
            if silently:
                link.fall_silent()
            else:
                link.cut()

    # ── connections ──

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._opened += 1
        link = _Link(self, Random(f"{self.seed}/{self._opened}"), self._links.discard)
        self._links.add(link)
        link.start(reader, writer)

    async def has_flow(self, way: Way) -> None:
        """Wait until what goes this way may be read."""
        await self._flows[way].wait()


class _Link:
    """One connection of a browser, and the one to the server that it becomes."""

    def __init__(self, proxy: Proxy, random: Random, on_end: Callable[[_Link], None]) -> None:
        self._proxy = proxy
        self._random = random
        self._on_end = on_end
        self._left = random.expovariate(1 / proxy.life) if proxy.life else float("inf")
        self._is_silent = False
        self._cut = asyncio.get_running_loop().create_future()
        self._writers: list[asyncio.StreamWriter] = []
        self._task: asyncio.Task[None] | None = None

    def start(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Begin."""
        self._writers.append(writer)
        self._task = asyncio.create_task(self._run(reader, writer))

    def cut(self) -> None:
        """End it at once, for both sides."""
        if not self._cut.done():
            self._cut.set_result(None)

    def fall_silent(self) -> None:
        """Pass nothing on any more, and tell nobody."""
        self._is_silent = True

    async def ended(self) -> None:
        """Cut it, and wait until it is over."""
        self.cut()
        if self._task is not None:
            await asyncio.wait([self._task])

    async def _run(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        pumps: list[asyncio.Task[None]] = []
        try:
            sock = await narrow(self._proxy.to)
            back, there = await asyncio.open_connection(sock=sock, limit=BUFFER)
            self._writers.append(there)
            pumps.append(asyncio.create_task(self._pump("up", reader, there)))
            pumps.append(asyncio.create_task(self._pump("down", back, writer)))
            await asyncio.wait([*pumps, self._cut], return_when=asyncio.FIRST_COMPLETED)
        except OSError:
            pass  # the server is down, and the browser finds out as it would without us
        finally:
            for pump in pumps:
                pump.cancel()
            await asyncio.gather(*pumps, return_exceptions=True)
            await self._close()
            self._on_end(self)

    async def _close(self) -> None:
        for writer in self._writers:
            if self._cut.done():
                writer.transport.abort()
            writer.close()
        for writer in self._writers:
            with suppress(OSError, TimeoutError):
                async with asyncio.timeout(1):  # a side that reads nothing need not have it all
                    await writer.wait_closed()
            writer.transport.abort()

    async def _pump(
        self, way: Way, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        proxy = self._proxy
        while True:
            await proxy.has_flow(way)
            piece = await reader.read(self._size(way))
            await proxy.has_flow(way)  # what arrived before it stalled may not pass either
            if self._is_silent:
                await self._cut
            await self._hold_back(way, len(piece))
            if not piece:
                return
            self._left -= len(piece)
            if self._left < 0:
                piece = piece[: int(self._left)]  # torn where its life ended
            writer.write(piece)
            with suppress(ConnectionError):
                await writer.drain()
            if self._left < 0:
                self._drop()
                return

    def _size(self, way: Way) -> int:
        rate = self._proxy.rate if way == "down" else None
        most = self._proxy.pieces if rate is None else min(self._proxy.pieces, rate / 10)
        return self._random.randint(1, max(1, int(most)))

    async def _hold_back(self, way: Way, size: int) -> None:
        seconds = self._random.uniform(0, self._proxy.delay)
        if way == "down" and self._proxy.rate is not None:
            seconds += size / self._proxy.rate
        if seconds:
            await asyncio.wait([self._cut], timeout=seconds)

    def _drop(self) -> None:
        self._proxy.dropped += 1
        if self._random.random() < 0.5:
            for writer in self._writers:
                _reset_at_close(writer)
            self.cut()


def _reset_at_close(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def narrow(port: int) -> socket.socket:
    """A connection to a port of this machine that takes little before it is read from."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    sock.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", port))
    except BaseException:
        sock.close()
        raise
    return sock
