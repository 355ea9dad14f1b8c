"""
One websocket of a page inside another one, as ASGI functions.

Its page reads all that comes as soon as it comes, and says how much it has read. So a channel
sends only what fits into the connection's `SendWindow`: a browser that has stopped reading makes
the channel wait, not what else is sent over the connection.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping

from starlette.types import Message

__all__ = ["CHANNEL", "INPUT", "PIECE", "WINDOW", "Channel", "SendWindow", "size_of"]

CHANNEL = "labchat_channel"
"""The custom message of Shiny's by which a page is told of a channel."""
INPUT = ".clientdata_labchat_channel"
"""The input of Shiny's by which a page tells of one, where no gateway takes it out."""
PIECE = 4_000
"""Longest text of one message, in characters; a longer frame is sent in pieces."""
WINDOW = 16_000
"""
Characters that a page may be sent and has not confirmed yet.

Of any language they are less than the 64 kB that asyncio takes before a sender has to wait: Shiny
sends while it holds a lock that all sessions need, and must not wait for what we have sent.
"""
_EACH = 500
"""What a message that waits takes besides its content, in bytes: thousands may be empty."""


class SendWindow:
    """
    Counts what a page was sent by all channels of its connection, and has not confirmed yet.

    Attributes
    ----------
    is_over
        Whether the connection has ended.
    """

    def __init__(self) -> None:
        self._sent: deque[int] = deque()
        self._unconfirmed = 0
        self._confirmed = 0
        self._freed = asyncio.Event()
        self.is_over = False

    async def wait_for(self, size: int) -> None:
        """
        Wait until there is room for a message of this size.

        Raises
        ------
        ConnectionResetError
            The connection has ended.
        """
        while not self.is_over and self._unconfirmed and self._unconfirmed + size > WINDOW:
            self._freed.clear()
            await self._freed.wait()
        self.check()

    def check(self) -> None:
        """Raise `ConnectionResetError` if the connection has ended."""
        if self.is_over:
            raise ConnectionResetError("the page's connection has ended")

    def note(self, size: int) -> None:
        """Note that a message of this size is being sent."""
        self._sent.append(size)
        self._unconfirmed += size

    def confirm(self, number: int) -> None:
        """Note that the page has so many messages, of all that it was ever sent."""
        while self._confirmed < number and self._sent:
            self._confirmed += 1
            self._unconfirmed -= self._sent.popleft()
        self._freed.set()

    def end(self) -> None:
        """Let nobody wait any more: the connection has ended."""
        self.is_over = True
        self._freed.set()


class Channel:
    """
    One channel.

    Parameters
    ----------
    id
        What its page calls it.
    window
        What its page has not confirmed.
    tell
        Sends its page a message.

    Attributes
    ----------
    waiting
        How much it has been sent, and was not read here yet, see `size_of`.
    is_closed
        Whether either side has closed it.
    """

    def __init__(self, id: str, window: SendWindow, tell: Callable[[str], Awaitable[None]]) -> None:
        self.id = id
        self.waiting = 0
        self.is_closed = False
        self._is_told = False
        self._window = window
        self._tell = tell
        self._came: asyncio.Queue[Message] = asyncio.Queue()
        self._came.put_nowait({"type": "websocket.connect"})

    # ── from the page ──

    def hear(self, text: str) -> None:
        """Take a frame of the page's, which `receive` gives; it is not read if it is closed."""
        if self.is_closed:
            return
        message = {"type": "websocket.receive", "text": text}
        self.waiting += size_of(message)
        self._came.put_nowait(message)

    def lose(self, code: int) -> None:
        """Note that the page has closed it, or that the connection has ended."""
        self.is_closed = True
        self._came.put_nowait({"type": "websocket.disconnect", "code": code})

    async def receive(self) -> Message:
        """Wait for what comes next, as an ASGI `receive`."""
        message = await self._came.get()
        if message["type"] == "websocket.receive":
            self.waiting -= size_of(message)
        return message

    # ── to the page ──

    async def send(self, message: Message) -> None:
        """
        Send what a server of websockets sends, as an ASGI `send`.

        Raises
        ------
        ConnectionResetError
            The channel was closed, or its connection has ended.
        """
        if self.is_closed:
            raise ConnectionResetError("the page has closed the channel")
        match message["type"]:
            case "websocket.accept":
                await self._say({"open": True})
            case "websocket.close":
                await self.close(message.get("code") or 1000)
            case _:
                for piece in _pieces(message["text"]):
                    raw = _written(self.id, piece)
                    await self._window.wait_for(len(raw))
                    await self._transmit(raw)

    async def close(self, code: int) -> None:
        """Close it, and tell the page so once, whichever side has closed it."""
        self.is_closed = True
        if not self._is_told:
            self._is_told = True
            await self._say({"close": code})

    async def _say(self, what: Mapping[str, object]) -> None:
        self._window.check()
        await self._transmit(_written(self.id, what))

    async def _transmit(self, raw: str) -> None:
        self._window.note(len(raw))
        await self._tell(raw)


def size_of(message: Message) -> int:
    """How much a message counts that waits to be read: its content, and what it takes besides."""
    return len(message.get("text") or message.get("bytes") or "") + _EACH


def _pieces(text: str) -> Iterator[dict[str, object]]:
    """
    A frame in pieces, each with its number, and whether there are more.

    A task that is cancelled leaves a frame unfinished; the page forgets it when the next begins.
    """
    if len(text) <= PIECE:
        yield {"text": text}
        return
    for number, start in enumerate(range(0, len(text), PIECE)):
        is_last = start + PIECE >= len(text)
        yield {"text": text[start : start + PIECE], "part": number, "more": not is_last}


def _written(id: str, what: Mapping[str, object]) -> str:
    said = {"custom": {CHANNEL: {"channel": id, **what}}}
    return json.dumps(said, ensure_ascii=False, separators=(",", ":"))
