"""Connections of uvicorn whose browsers read nothing end with the server, and only with it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import Message, Receive, Scope, Send
from websockets.asyncio.client import connect

from shiny_labchat.gateway.uvicorn_internals import end_all_soon

pytestmark = pytest.mark.anyio
LARGE = 30_000_000
"""More than the buffers between a server and a browser take."""
SOON = 0.1


async def elsewhere(message: Message) -> None:
    """How something else is sent to than a connection of the server."""


class Endpoint:
    """Sends much, and has connections ended when it is told that the server stops."""

    def __init__(self, *others: Send) -> None:
        self.is_sending = asyncio.Event()
        self._others = others
        self._sending = set[asyncio.Future[None]]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        while (message := await receive())["type"] != "websocket.disconnect":
            much = {"type": "websocket.send", "text": "x" * LARGE}
            self._sending.add(asyncio.ensure_future(send(much)))
            asyncio.get_running_loop().call_soon(self.is_sending.set)
        if message["code"] == 1012:
            for each in (*self._others, send):
                end_all_soon(each, SOON)


async def large(request: Request) -> Response:
    return Response(b"x" * LARGE)


@asynccontextmanager
async def serving(endpoint: Endpoint) -> AsyncIterator[int]:
    app = Starlette(routes=[WebSocketRoute("/ws", endpoint), Route("/large", large)])
    config = uvicorn.Config(app, port=0, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        assert not task.done()
        await asyncio.to_thread(int)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        async with asyncio.timeout(10):
            await task


async def test_who_reads_nothing_keeps_no_server_from_ending() -> None:
    """Whoever is the first to ask for it."""
    endpoint = Endpoint(elsewhere)
    async with serving(endpoint) as port:
        stalled = await connect(f"ws://127.0.0.1:{port}/ws", proxy=None, compression=None)
        await stalled.send("much, please")
        stalled.transport.pause_reading()
        await endpoint.is_sending.wait()
    stalled.transport.abort()


async def test_no_browser_can_have_what_is_sent_to_others_cut_short() -> None:
    async with serving(Endpoint()) as port:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1_000)
        writer.write(b"GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        await reader.readexactly(1_000)
        async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None) as hostile:
            await hostile.close(1012)
        await asyncio.wait([asyncio.create_task(hostile.wait_closed())])
        with suppress(TimeoutError):  # long enough for what would be cut short
            async with asyncio.timeout(5 * SOON):
                await asyncio.Event().wait()
        rest = await reader.read(-1)
        assert 1_000 + len(rest) > LARGE
        writer.close()
