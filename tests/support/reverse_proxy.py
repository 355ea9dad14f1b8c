"""A reverse proxy as they stand before servers, with what each makes of the requests' headers."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from types import TracebackType
from typing import Literal, Self

__all__ = ["ReverseProxy"]

MAX_HEAD = 65_536
CHATS = ("/labchat/ws", "/labchat/study")
"""How the paths of the chats' own websockets end."""


class ReverseProxy:
    """
    Passes requests and websockets on to a server of this machine.

    It sends the server its own name for it as `Host`, as nginx does unless it is told otherwise
    (``proxy_set_header Host $proxy_host``), and names nowhere what the browser had asked for.
    It opens a connection for each request.

    Parameters
    ----------
    to
        The server's port.
    prefix
        The path under which the app is, such as ``/pilot``; the server does not see it.

    Attributes
    ----------
    port
        Where browsers connect.
    requested
        The paths that browsers have asked for.
    chats
        What becomes of the chats' own websockets: they "pass"; or it does "refuse" them; or it does
        "hold" them, and never answers.
    """

    def __init__(self, to: int, prefix: str = "") -> None:
        self.to = to
        self.prefix = prefix
        self.port = 0
        self.requested: list[str] = []
        self.chats: Literal["pass", "refuse", "hold"] = "pass"
        self._chats: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=MAX_HEAD)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        assert self._server is not None
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(self._serve(reader, writer))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there: asyncio.StreamWriter | None = None
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            if head.split(b" ")[1].decode().endswith(CHATS):
                self._note_chat()
                if self.chats == "refuse":
                    writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
                    return await writer.drain()
                if self.chats == "hold":
                    await asyncio.get_running_loop().create_future()
            back, there = await asyncio.open_connection("127.0.0.1", self.to)
            there.write(self._as_sent_on(head))
            await _first_of(_pump(reader, there), _pump(back, writer))
        except (OSError, asyncio.IncompleteReadError):
            pass  # either side has gone, and the other one finds out
        finally:
            for each in (writer, there):
                if each is not None:
                    each.close()

    async def cut_chats(self) -> None:
        """End the chats' own websockets."""
        chats = tuple(self._chats)
        for task in chats:
            task.cancel()
        await asyncio.gather(*chats, return_exceptions=True)

    @property
    def open_chats(self) -> int:
        """How many of the chats' own websockets are open, or on their way."""
        return len(self._chats)

    def _note_chat(self) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._chats.add(task)
        task.add_done_callback(self._chats.discard)

    def _as_sent_on(self, head: bytes) -> bytes:
        first, *lines = head.decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
        method, path, version = first.split(" ")
        self.requested.append(path)
        is_socket = any(line.lower().startswith("upgrade:") for line in lines)
        replaced = ("host:",) if is_socket else ("host:", "connection:")
        kept = [line for line in lines if not line.lower().startswith(replaced)]
        own = [f"Host: 127.0.0.1:{self.to}", *([] if is_socket else ["Connection: close"])]
        path = path.removeprefix(self.prefix) or "/"
        return "\r\n".join([f"{method} {path} {version}", *own, *kept, "", ""]).encode("latin-1")


async def _first_of(*pumps: asyncio.Task[None]) -> None:
    try:
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)


def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> asyncio.Task[None]:
    async def pump() -> None:
        with suppress(OSError):
            while piece := await reader.read(MAX_HEAD):
                writer.write(piece)
                await writer.drain()

    return asyncio.create_task(pump())
