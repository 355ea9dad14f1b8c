"""
Websockets of a page inside its Shiny connection, where a host lets no second one through.

The page opens channels, and sends and gets by them the frames that it would send and get by
websockets of its own, each in a message of Shiny's form. A channel is served by what serves such a
websocket, so whatever is promised of one holds for the other.

The messages are taken out of the connection before Shiny reads it, by a task that reads all the
time: Shiny itself does not read while any session of the process is busy.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Mapping

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shiny_labchat.concurrency import Tasks
from shiny_labchat.gateway.channel import INPUT, Channel, SendWindow, size_of

__all__ = ["CHANNELS_EACH", "Multiplexer"]

logger = logging.getLogger("shiny_labchat")

CHANNELS_EACH = 40
"""Channels that one page may have open; no more are opened."""
MAX_WAITING = 4_000_000
"""Size of all channels' frames that may wait to be read; a frame above it ends its own channel."""
MAX_WAITING_FOR_SHINY = 1_000_000
"""Size of other messages that may wait for Shiny; above it, no more is read of the page."""
ENDS_WITHIN = 10.0
"""How long channels may take to end with their connection, in seconds."""
LONGEST_ID = 40
MARK = f'{{"method":"update","data":{{"{INPUT}":'
"""How a page's messages about channels begin."""
CLOSED = 1000
ENDED = 1011
GONE = 1006


class Multiplexer:
    """
    Serves websockets with channels in them, as an ASGI app.

    Parameters
    ----------
    app
        Serves the websocket without its channels.
    endpoints
        What serves channels, by the paths that pages open them with.
    """

    def __init__(self, app: ASGIApp, endpoints: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._endpoints = endpoints

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        connection = _Connection(scope, receive, send, self._endpoints)
        reading = asyncio.create_task(connection.read())
        try:
            await self._app(scope, connection.receive, send)
        finally:
            reading.cancel()
            await asyncio.wait([reading])
            await connection.end()


class _Connection:
    """One websocket with channels in it."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, endpoints: Mapping[str, ASGIApp]
    ) -> None:
        self._scope = scope
        self._receive = receive
        self._transmit = send
        self._endpoints = endpoints
        self._channels: dict[str, Channel] = {}
        self._window = SendWindow()
        self._tasks = Tasks("a page's channels")
        self._others: asyncio.Queue[Message | BaseException] = asyncio.Queue()
        self._waiting = 0
        self._has_room = asyncio.Event()

    async def read(self) -> None:
        """Read the connection until it ends."""
        try:
            while True:
                message = await self._receive()
                text = message.get("text") or ""
                if text.startswith(MARK):
                    self._take(text)
                    continue
                self._others.put_nowait(message)
                if message["type"] == "websocket.disconnect":
                    return self._lose(message.get("code") or GONE)
                await self._make_room(size_of(message))
        except Exception as exc:
            self._others.put_nowait(exc)
            self._lose(GONE)

    async def receive(self) -> Message:
        """Wait for a message that is of no channel, as an ASGI `receive`."""
        message = await self._others.get()
        if isinstance(message, BaseException):
            raise message
        self._waiting -= size_of(message)
        self._has_room.set()
        return message

    async def end(self) -> None:
        """End the channels with their connection."""
        self._lose(GONE)
        await self._tasks.wait(ENDS_WITHIN)
        await self._tasks.stop(ENDS_WITHIN)

    async def _make_room(self, size: int) -> None:
        """Count what waits, and wait while it is too much."""
        self._waiting += size
        while self._waiting > MAX_WAITING_FOR_SHINY:
            self._has_room.clear()
            await self._has_room.wait()

    def _lose(self, code: int) -> None:
        self._window.end()
        for channel in self._channels.values():
            channel.lose(code)

    # ── what pages say of channels ──

    def _take(self, text: str) -> None:
        try:
            said = json.loads(text)["data"][INPUT]
        except (ValueError, KeyError, TypeError, RecursionError):
            return logger.debug("a message about a channel is not readable")
        match said:
            case {"has": int() as number}:
                self._window.confirm(number)
            case {"channel": str() as id, "open": str() as path} if len(id) <= LONGEST_ID:
                self._open(id, path)
            case {"channel": str() as id, "text": str() as frame} if id in self._channels:
                self._hear(self._channels[id], frame)
            case {"channel": str() as id, "close": int()} if id in self._channels:
                self._channels[id].lose(CLOSED)  # whatever it says: some codes are a server's
            case _:
                pass  # about a channel that was closed meanwhile

    def _open(self, id: str, path: str) -> None:
        endpoint = self._endpoints.get(path)
        if endpoint is None or id in self._channels or len(self._channels) >= CHANNELS_EACH:
            return
        _say_once(path)
        channel = self._channels[id] = Channel(id, self._window, self._tell)
        self._tasks.spawn(self._serve(channel, endpoint, path))

    def _hear(self, channel: Channel, frame: str) -> None:
        if sum(each.waiting for each in self._channels.values()) + len(frame) > MAX_WAITING:
            channel.lose(GONE)  # the page finds out when its endpoint has ended
        else:
            channel.hear(frame)

    # ── serving them ──

    async def _serve(self, channel: Channel, endpoint: ASGIApp, path: str) -> None:
        scope = {**self._scope, "path": path, "raw_path": path.encode()}
        try:
            await endpoint(scope, channel.receive, channel.send)
        except OSError:
            pass  # the page has gone
        finally:
            del self._channels[channel.id]
            await self._part(channel)

    async def _part(self, channel: Channel) -> None:
        try:
            await channel.close(ENDED)
        except (OSError, RuntimeError):
            pass  # the connection has ended, too

    async def _tell(self, raw: str) -> None:
        try:
            await self._transmit({"type": "websocket.send", "text": raw})
        except RuntimeError as exc:
            raise ConnectionResetError("the app has closed the page's connection") from exc


def _say_once(path: str) -> None:
    if not _said:
        _said.add(path)
        logger.warning(
            "the websocket of a page at %s did not get through, so its frames go over Shiny's own "
            "connection: let the proxy pass on websockets at labchat/ws and labchat/study, too",
            path.lstrip("/"),
        )


_said: set[str] = set()
