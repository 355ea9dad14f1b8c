"""A browser as the gateway knows one: it speaks frames over a websocket of its own."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from shiny_labchat.domain.messages import text_of
from tests.support.stream_reader import apply_chunks

__all__ = ["Browser", "Frame", "browser"]

Frame = dict[str, Any]
PATIENCE = 30.0
"""How long a browser waits for what it is told to wait for, in seconds."""


class Browser:
    """
    One open socket, and all it has been sent.

    Attributes
    ----------
    frames
        Every frame, in order.
    items
        The messages it shows, by seq.
    welcome
        The last welcome.
    """

    def __init__(self, socket: ClientConnection) -> None:
        self.socket = socket
        self.frames: list[Frame] = []
        self.items: dict[int, Frame] = {}
        self.welcome: Frame = {}
        self.upto = 0
        self.stored: dict[str, int] = {}
        self._read = 0
        self._cids = (f"{secrets.token_hex(4)}-{n}" for n in count())

    # ── saying ──

    async def hello(self, *, after: int = 0, **token: str) -> Frame:
        """Say hello with ``ticket=`` or ``resume=``, and wait for the welcome."""
        await self.tell(t="hello", v=1, after=after, **token)
        return await self.hears("welcome")

    async def tell(self, **frame: object) -> None:
        """Send a frame."""
        await self.socket.send(json.dumps(frame))

    async def send(self, text: str, cid: str | None = None) -> str:
        """Send a message, and give its id."""
        cid = cid or next(self._cids)
        await self.tell(t="send", cid=cid, text=text)
        return cid

    async def says(self, text: str, cid: str | None = None) -> int:
        """Send a message, wait until it is stored, and give its seq."""
        cid = await self.send(text, cid)
        await self.until(lambda: cid in self.stored)
        return self.stored[cid]

    async def tries(self, text: str) -> str:
        """Send a message, wait until it is refused, and give the code."""
        cid = await self.send(text)
        answer = await self.hears("refused", cid=cid)
        assert answer["say"]
        return answer["code"]

    # ── hearing ──

    async def hears(self, t: str, **fields: object) -> Frame:
        """The next frame of a type that has these fields; what comes before it is taken in."""

        def wanted(frame: Frame) -> bool:
            return frame["t"] == t and fields.items() <= frame.items()

        async with asyncio.timeout(PATIENCE):
            while True:
                while self._read < len(self.frames):
                    self._read += 1
                    if wanted(frame := self.frames[self._read - 1]):
                        return frame
                await self._receive()

    async def sees(self, *texts: str) -> None:
        """Wait until the newest messages it shows are these."""
        async with asyncio.timeout(PATIENCE):
            while self.texts[-len(texts) :] != list(texts):
                await self._receive()

    async def until(self, is_so: Callable[[], bool], within: float = PATIENCE) -> None:
        """Take in frames until something is so."""
        async with asyncio.timeout(within):
            while not is_so():
                await self._receive()

    async def settles(self) -> None:
        """Take in all that the server has for it by now."""
        await self.tell(t="ping")
        await self.hears("pong")

    @property
    def texts(self) -> list[str]:
        """The texts of the messages it shows, oldest first."""
        return [text_of(self.items[seq]["parts"]) for seq in sorted(self.items)]

    async def _receive(self) -> None:
        raw = await self.socket.recv()
        assert isinstance(raw, str)
        for frame in map(json.loads, raw.split("\n")):
            self._take(frame)

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        match frame["t"]:
            case "welcome":
                self.welcome = frame
                self._take_in(frame, newer=True)
            case "events":
                self._take_in(frame, newer=True)
            case "older":
                self._take_in(frame, newer=False)
            case "chunks":
                for seq, more, *rest in frame["of"]:
                    self._grow(seq, more, *rest[:1])
            case "acks":
                self.stored |= dict(frame["of"])

    def _take_in(self, frame: Frame, newer: bool) -> None:
        if frame.get("reset"):
            self.items.clear()
        for item in frame["e"]:
            if item["k"] == "cleared":
                self.items = {seq: kept for seq, kept in self.items.items() if seq > item["seq"]}
                continue
            if item["k"] == "end":
                if item["of"] in self.items:
                    self.items[item["of"]].pop("live", None)
                    self.items[item["of"]]["is"] = item["is"]
                continue
            assert item["seq"] not in self.items, "shown twice"
            self.items[item["seq"]] = item
        if newer:
            assert frame["upto"] >= self.upto or frame.get("reset"), "went back"
            assert all(item["seq"] <= frame["upto"] for item in frame["e"])
            self.upto = frame["upto"]

    def _grow(self, seq: int, more: str | list[list[Any]], keep: int | None = None) -> None:
        assert seq in self.items, "chunks of what is not shown"
        assert self.items[seq].get("live"), "chunks of what has ended"
        apply_chunks(self.items[seq]["parts"], more, keep)

    # ── the end ──

    async def is_sent_away(self) -> tuple[str, int]:
        """Wait for the goodbye and the end; gives their codes."""
        goodbye = await self.hears("bye")
        assert goodbye["say"]
        return goodbye["code"], await self.ends()

    async def ends(self) -> int:
        """Wait until the socket is closed by the server; gives the close code."""
        async with asyncio.timeout(PATIENCE):
            try:
                while True:
                    await self._receive()
            except ConnectionClosed as exc:
                return exc.rcvd.code if exc.rcvd else 1006


@asynccontextmanager
async def browser(
    port: int, *, path: str = "/labchat/ws", origin: str | None = None, **options: Any
) -> AsyncIterator[Browser]:
    """Open a socket to a server on this machine."""
    options.setdefault("compression", None)
    options.setdefault("max_size", None)
    options.setdefault("max_queue", None)  # a test need not read to keep its socket going
    address = f"ws://127.0.0.1:{port}{path}"
    async with connect(address, origin=origin, proxy=None, **options) as socket:  # pyright: ignore
        yield Browser(socket)
