"""The connections of uvicorn are as `uvicorn_internals` expects; where they are not, it says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send
from websockets.asyncio.client import ClientConnection, connect

from shiny_labchat import protocol
from shiny_labchat.gateway.uvicorn_internals import MOST_UNCOMPRESSED, needs_no_task, writer_of

pytestmark = pytest.mark.anyio
PATIENCE = 20.0
Write = Callable[[bytes], bool]


class Endpoint:
    """Takes sockets, and lets the test send to them."""

    def __init__(self) -> None:
        self.sends = asyncio.Queue[Send]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        self.sends.put_nowait(send)
        while (await receive())["type"] != "websocket.disconnect":
            pass


class _Counting:
    """A middleware that is to see every message."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def count(message: Any) -> None:
            await send(message)

        await self._app(scope, receive, count)


@asynccontextmanager
async def opened(
    *, wrap: Callable[[ASGIApp], ASGIApp] = lambda app: app, ws: Any = "auto", **options: Any
) -> AsyncIterator[tuple[ClientConnection, Send]]:
    """A browser's socket to a server, and how the server sends to it."""
    endpoint = Endpoint()
    app = wrap(Starlette(routes=[WebSocketRoute("/ws", endpoint)]))
    config = uvicorn.Config(app, port=0, ws=ws, lifespan="off", log_level="warning")
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve())
    while not server.started:
        assert not serving.done()
        await asyncio.to_thread(int)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        async with connect(f"ws://127.0.0.1:{port}/ws", proxy=None, max_size=None, **options) as it:
            yield it, await endpoint.sends.get()
    finally:
        server.should_exit = True
        await serving


def written(send: Send) -> Write:
    write = writer_of(send)
    assert write is not None, f"uvicorn {uvicorn.__version__} is not written to directly"
    return write


async def say(send: Send, text: str) -> None:
    await send({"type": "websocket.send", "text": text})


@pytest.mark.parametrize("compression", [None, "deflate"])
async def test_what_is_written_arrives_in_order_with_what_is_sent(compression: Any) -> None:
    texts = ["", "a", "\U0001f600", "b" * 125, "c" * 126, "d" * 1_000]
    texts += [] if compression else ["e" * 65_535, "f" * 65_536]
    async with opened(compression=compression) as (it, send):
        write = written(send)
        for text in texts:
            assert write(protocol.text_frame(text))
            await say(send, f"after {text}")
        for text in texts:
            assert await it.recv() == text
            assert await it.recv() == f"after {text}"


async def test_what_is_long_is_compressed_where_the_connection_does_that() -> None:
    async with opened(compression="deflate") as (_, send):
        write = written(send)
        assert not write(protocol.text_frame("x" * MOST_UNCOMPRESSED))
        assert write(protocol.text_frame("x"))


async def closed_by_browser(it: ClientConnection, send: Send) -> None:
    await it.close()


async def lost(it: ClientConnection, send: Send) -> None:
    it.transport.abort()


async def closed_by_server(it: ClientConnection, send: Send) -> None:
    await send({"type": "websocket.close"})


@pytest.mark.parametrize("end", [closed_by_browser, lost, closed_by_server])
async def test_nothing_is_written_to_what_is_closing(
    end: Callable[[ClientConnection, Send], Awaitable[None]],
) -> None:
    async with opened() as (it, send):
        write = written(send)
        assert write(protocol.text_frame("x"))
        await end(it, send)
        async with asyncio.timeout(PATIENCE):
            while write(protocol.text_frame("x")):
                await asyncio.to_thread(int)


async def test_who_does_not_read_is_written_no_more_until_they_do() -> None:
    """And what is written is bounded."""
    frame = protocol.text_frame("x" * 60_000)
    async with opened(compression=None, max_queue=1) as (it, send):
        write, number = written(send), 0
        while write(frame):
            number += 1
            assert number < 2_000, "nothing stops it"
            await asyncio.to_thread(int)
        waiting = asyncio.create_task(say(send, "at last"))
        await asyncio.wait([waiting], timeout=0)
        assert not waiting.done()
        async with asyncio.timeout(PATIENCE):
            for _ in range(number):
                assert len(await it.recv()) == 60_000
            assert await it.recv() == "at last"
            while not write(protocol.text_frame("again")):
                await asyncio.to_thread(int)


async def test_a_middleware_that_sees_all_messages_goes_on_seeing_them() -> None:
    async with opened(wrap=_Counting) as (_, send):
        assert writer_of(send) is None and not needs_no_task(send)


async def test_another_version_is_sent_to_as_asgi_says() -> None:
    async with opened() as (_, send):
        assert writer_of(send) is not None and needs_no_task(send)
        assert writer_of(send, "0.99.0") is None


async def test_any_other_function_is_only_called_as_asgi_says() -> None:
    async def send(message: Any) -> None: ...

    assert writer_of(send) is None and not needs_no_task(send)
