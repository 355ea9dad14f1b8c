"""A browser as the gateway knows one: it speaks frames over a websocket of its own."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Literal

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from shiny_labchat.domain.messages import text_of
from shiny_labchat.protocol import VERSION
from tests.support.channel import Channel, channel
from tests.support.stream_reader import apply_chunks

__all__ = ["Browser", "Frame", "browser", "filled_in"]

Frame = dict[str, Any]
PATIENCE = 30.0
"""How long a browser waits for what it is told to wait for, in seconds."""


class Browser:
    """
    One open socket, and all it has been sent.

    Attributes
    ----------
    frames
        Every frame, in order; after each change of who is here also one with all who are here then.
    items
        The messages it shows, by their ids, in order; what an item leaves out is filled in.
    welcome
        The last welcome.
    upto
        The id of the newest item that it was sent.
    stored
        The ids of its messages' items, by its own ids.
    hidden, quiet
        What it answers when it is asked whether it is alive, in ms; `hidden` None: nothing.
    """

    def __init__(self, socket: ClientConnection | Channel) -> None:
        self.socket: Any = socket
        self.frames: list[Frame] = []
        self.items: dict[str, Frame] = {}
        self.welcome: Frame = {}
        self.upto = ""
        self.stored: dict[str, str] = {}
        self.hidden: int | None = 0
        self.quiet = 0
        self._read = 0
        self._here: dict[str, list[Any]] = {}
        self._cids = (f"{secrets.token_hex(4)}-{n}" for n in count())

    # ── saying ──

    async def hello(self, *, after: str = "", **fields: object) -> Frame:
        """Say hello with ``ticket=`` or ``resume=``, and wait for the welcome."""
        await self.tell(t="hello", v=VERSION, after=after, **fields)
        return await self.hears("welcome")

    async def tell(self, **frame: object) -> None:
        """Send a frame."""
        await self.socket.send(json.dumps(frame))

    async def send(self, text: str, cid: str | None = None, **more: object) -> str:
        """Send a message, and give its id."""
        cid = cid or next(self._cids)
        await self.tell(t="send", cid=cid, text=text, **more)
        return cid

    async def says(self, text: str, cid: str | None = None, **more: object) -> str:
        """Send a message, wait until it is stored, and give its item's id."""
        cid = await self.send(text, cid, **more)
        await self.until(lambda: cid in self.stored)
        return self.stored[cid]

    async def tries(self, text: str, **more: object) -> str:
        """Send a message, wait until it is refused, and give the code."""
        cid = await self.send(text, None, **more)
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
        await self.tell(t="check")
        await self.hears("checked")

    @property
    def texts(self) -> list[str]:
        """The texts of the messages it shows, oldest first."""
        return [text_of(item["parts"]) for item in self.items.values()]

    async def _receive(self) -> None:
        raw = await self.socket.recv()
        assert isinstance(raw, str)
        for frame in map(json.loads, raw.split("\n")):
            self._take(frame)
            if frame["t"] == "ping" and self.hidden is not None:
                await self.tell(t="pong", hidden=self.hidden, quiet=self.quiet)

    def _take(self, frame: Frame) -> None:
        self.frames.append(frame)
        match frame["t"]:
            case "welcome":
                self.welcome = frame
                if "e" in frame:  # that of a study has none
                    self._take_in(frame, newer=True)
            case "events":
                self._take_in(frame, newer=True)
            case "older":
                self._take_in(frame, newer=False)
            case "chunks":
                for id, more, *rest in frame["of"]:
                    self._grow(id, more, *rest[:1])
            case "acks":
                self.stored |= dict(frame["of"])
            case "presence":
                self._here = {person[0]: person for person in frame["who"]}
            case "here":
                self._change_who_is_here(frame)

    def _change_who_is_here(self, frame: Frame) -> None:
        for handle in frame["went"]:
            del self._here[handle]
        self._here |= {person[0]: person for person in frame["came"]}
        who = [self._here[handle] for handle in sorted(self._here)]
        self.frames.append({"t": "presence", "n": frame["n"], "who": who})

    def _take_in(self, frame: Frame, newer: bool) -> None:
        if frame.get("reset"):
            self.items.clear()
            self.upto = ""
        fresh: dict[str, Frame] = {}
        for item in frame["e"]:
            if item.get("k") == "cleared":
                self.items.clear()
                fresh.clear()
            elif item.get("k") == "withdrawn":
                for of, known in {**self.items, **fresh}.items():
                    if known["h"] == item["h"]:
                        (fresh if of in fresh else self.items)[of] = blanked(known)
            elif item.get("k") == "retracted":
                self.items.pop(item["of"], None)
                fresh.pop(item["of"], None)
            elif item.get("k") == "end":
                known = fresh.get(item["of"]) or self.items.get(item["of"])
                if known is not None:
                    known.pop("live", None)
                    known["is"] = item["is"]
            else:
                assert item["id"] not in {*self.items, *fresh}, "shown twice"
                fresh[item["id"]] = filled_in(item)
        if newer:
            self.items |= fresh
            self.upto = frame["e"][-1]["id"] if frame["e"] else self.upto
        else:
            self.items = fresh | self.items

    def _grow(self, id: str, more: str | list[list[Any]], keep: int | None = None) -> None:
        assert id in self.items, "chunks of what is not shown"
        assert self.items[id].get("live"), "chunks of what has ended"
        apply_chunks(self.items[id]["parts"], more, keep)

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


def blanked(item: Frame) -> Frame:
    """What a page leaves of a message whose author has withdrawn."""
    kept = {key: item[key] for key in ("id", "h", "role", "at", "only") if key in item}
    return {**kept, "name": None, "parts": [], "withdrawn": True}


def filled_in(item: Frame) -> Frame:
    """The item of a message, with all that it leaves out."""
    if item.get("withdrawn"):
        return blanked({"role": "user", **item})
    parts = item.get("parts", [["text", item.get("text", "")]])
    return {"h": None, "name": None, "role": "user", **item, "parts": parts}


@asynccontextmanager
async def browser(
    port: int,
    *,
    path: str = "/labchat/ws",
    origin: str | None = None,
    over: Literal["websocket", "channel"] = "websocket",
    **options: Any,
) -> AsyncIterator[Browser]:
    """Open a socket to a server on this machine, or a channel in a page's Shiny connection."""
    options.setdefault("compression", None)
    options.setdefault("max_size", None)
    options.setdefault("max_queue", None)  # a test need not read to keep its socket going
    if over == "channel":
        async with channel(port, path=path, origin=origin, **options) as opened:
            yield Browser(opened)
        return
    address = f"ws://127.0.0.1:{port}{path}"
    async with connect(address, origin=origin, proxy=None, **options) as socket:  # pyright: ignore
        yield Browser(socket)
