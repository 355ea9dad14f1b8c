"""A page's websocket inside its Shiny connection, as ``channel.js`` makes one."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, ConnectionClosedOK
from websockets.frames import Close

__all__ = ["CONFIRM_AFTER", "INPUT", "Channel", "channel"]

INPUT = ".clientdata_labchat_channel"
TOLD = '{"custom":{"labchat_channel":'
CONFIRM_AFTER = 4_000
"""Characters after which what has come is confirmed."""


class Channel:
    """
    One channel, with as much of a client's websocket as the tests' browsers use.

    Attributes
    ----------
    socket
        Shiny's connection.
    others
        What else has come over it, oldest first.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.transport = socket.transport
        self.others: list[dict[str, Any]] = []
        self._id = secrets.token_hex(16)
        self._received = 0
        self._unconfirmed = 0
        self._text = ""

    async def open(self, path: str) -> None:
        """Open it, and wait until it is."""
        await self.say({"channel": self._id, "open": path})
        assert await self._told() == {"channel": self._id, "open": True}

    async def say(self, what: object) -> None:
        """Tell the server something about channels."""
        await self.socket.send(written(what))

    async def send(self, text: str) -> None:
        """Send a frame."""
        await self.say({"channel": self._id, "text": text})

    async def recv(self) -> str:
        """Wait for the next frame."""
        while True:
            told = await self._told()
            if "close" in told:
                raise ConnectionClosedOK(Close(told["close"], ""), None)
            self._text = (self._text if told.get("part") else "") + told["text"]
            if not told.get("more"):
                return self._text

    async def __aiter__(self) -> AsyncIterator[str]:
        try:
            while True:
                yield await self.recv()
        except ConnectionClosed:
            return

    async def close(self) -> None:
        """Close it; Shiny's connection stays."""
        await self.say({"channel": self._id, "close": 1000})

    async def wait_closed(self) -> None:
        """Wait until Shiny's connection has ended."""
        await self.socket.wait_closed()

    async def _told(self) -> dict[str, Any]:
        while True:
            raw = await self.socket.recv()
            assert isinstance(raw, str)
            if not raw.startswith(TOLD):
                self.others.append(json.loads(raw))
                continue
            await self._confirm(len(raw))
            told = json.loads(raw)["custom"]["labchat_channel"]
            if told["channel"] == self._id:
                return told

    async def _confirm(self, size: int) -> None:
        self._received += 1
        self._unconfirmed += size
        if self._unconfirmed >= CONFIRM_AFTER:
            self._unconfirmed = 0
            await self.say({"has": self._received})


def written(what: object) -> str:
    """What a page sends to say this of channels."""
    return json.dumps({"method": "update", "data": {INPUT: what}}, separators=(",", ":"))


@asynccontextmanager
async def channel(
    port: int, *, path: str = "/labchat/ws", within: str = "/websocket/", **options: Any
) -> AsyncIterator[Channel]:
    """Open a channel in a new connection to Shiny, of a page whose session has not begun."""
    options = {"compression": None, "max_size": None, "max_queue": None, "proxy": None} | options
    async with connect(f"ws://127.0.0.1:{port}{within}", **options) as socket:
        opened = Channel(socket)
        await opened.open(path)
        yield opened
