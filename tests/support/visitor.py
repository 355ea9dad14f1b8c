"""Somebody who takes part in a study, as a server knows them: a page with all of its sockets."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed

from shiny_labchat.protocol import VERSION
from tests.support.client import Browser, Frame, browser
from tests.support.page import fetch_key

__all__ = ["Visitor", "go_by", "visitor"]

PATIENCE = 120.0
"""How long a visitor waits for what they are told to wait for, in seconds."""


async def go_by(seconds: float) -> None:
    """Let time go by, where it is time itself that a rule is about."""
    over = asyncio.get_running_loop().create_future()
    timer = asyncio.get_running_loop().call_later(seconds, over.set_result, None)
    try:
        await over
    finally:
        timer.cancel()


class StudySocket(Browser):
    """The page's socket to a study, which notes when it said last that it is alive."""

    answered = 0
    """When it last answered, in microseconds since 1970 (UTC)."""

    async def tell(self, **frame: object) -> None:
        if frame["t"] in ("pong", "hello"):
            self.answered = time.time_ns() // 1000
        await super().tell(**frame)


class Visitor:
    """
    One page in front of somebody, which answers what servers ask pages, and does as it is told.

    Attributes
    ----------
    html
        What it fetched.
    shiny
        The frames that its Shiny session has sent, as they were.
    values
        What the outputs show.
    notices
        What elements were told; those of the page itself have the id "".
    study, chat
        Its sockets to the study, and to the room of its chat; None: not open.
    follows
        Whether its chat goes into another room when it is let in there.
    """

    follows = False

    def __init__(
        self, port: int, sockets: int, socket: ClientConnection, keys: Mapping[str, str]
    ) -> None:
        self.html = ""
        self.shiny: list[str] = []
        self.values: dict[str, Any] = {}
        self.notices: list[Frame] = []
        self.study: StudySocket | None = None
        self.chat: Browser | None = None
        self._port = port
        self._sockets = sockets
        self._socket = socket
        self._keys = keys
        self._who = ""
        self._news = asyncio.Event()
        self._stack = AsyncExitStack()
        self._tasks: list[asyncio.Task[None]] = []

    # ── its sockets ──

    async def open(self, search: str, outputs: tuple[str, ...]) -> None:
        """Say what a page says first, and read from then on."""
        keys = {**self._keys, "key": await fetch_key(self._port)}
        data: dict[str, Any] = {
            ".clientdata_url_search": search,
            ".clientdata_url_pathname": "/",
            ".clientdata_url_protocol": "http:",
            ".clientdata_url_hostname": "127.0.0.1",
            ".clientdata_url_port": str(self._port),
            ".clientdata_url_hash": "",
            ".clientdata_url_hash_initial": "",
            ".clientdata_labchat_hello:shiny_labchat.page": keys,
            "chat_hello": keys,
        }
        data |= {f".clientdata_output_{name}_hidden": False for name in outputs}
        await self._socket.send(json.dumps({"method": "init", "data": data}))
        self._spawn(self._read())

    def _spawn(self, job: Any) -> None:
        self._tasks.append(asyncio.create_task(job))

    async def _read(self) -> None:
        with suppress(ConnectionClosed):
            async for raw in self._socket:
                assert isinstance(raw, str)
                self.shiny.append(raw)
                frame = json.loads(raw)
                self.values |= frame.get("values") or {}
                notice = frame.get("custom", {}).get("labchat")
                if notice is not None:
                    self.notices.append(notice)
                    await self._heed(notice)
                self._news.set()

    async def _heed(self, notice: Frame) -> None:
        if notice["do"] == "study" and "ticket" in notice and self.study is None:
            opened = await self._open("/labchat/study")
            self.study = StudySocket(opened.socket)
            await self.study.tell(t="hello", v=VERSION, ticket=notice["ticket"])
            self._spawn(self._pump(self.study))
        elif notice["do"] == "admit" and (
            self.chat is None or (self.follows and notice["who"] != self._who)
        ):
            earlier, self._who = self.chat, notice["who"]
            self.chat = await self._open("/labchat/ws")
            await self.chat.tell(t="hello", v=VERSION, after="", ticket=notice["ticket"])
            self._spawn(self._pump(self.chat))
            if earlier is not None:
                await earlier.socket.close()

    async def _open(self, path: str) -> Browser:
        return await self._stack.enter_async_context(browser(self._sockets, path=path))

    async def _pump(self, line: Browser) -> None:
        with suppress(ConnectionClosed):
            while True:
                known = len(line.frames)
                await line.until(lambda known=known: len(line.frames) > known, within=3_600)
                self._news.set()

    async def is_cut_off(self) -> None:
        """Wait until the session's socket has ended, and all is read that was sent before."""
        await asyncio.wait(self._tasks[:1])

    async def close(self) -> None:
        """Close the page."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        await self._stack.aclose()

    def be_silent(self) -> None:
        """Answer nothing any more; the sockets stay open."""
        for line in (self.study, self.chat):
            if line is not None:
                line.hidden = None

    def drop(self) -> None:
        """Be gone without a word, as a phone whose network ends."""
        self.be_silent()
        for socket in (self._socket, *(line.socket for line in (self.study, self.chat) if line)):
            socket.transport.abort()

    # ── seeing and doing ──

    @property
    def screen(self) -> Frame:
        """What the study shows; empty before there is anything."""
        frames = self.study.frames if self.study is not None else []
        return next((frame["screen"] for frame in reversed(frames) if frame["t"] == "screen"), {})

    @property
    def page(self) -> str:
        """What the app's output "page" shows, as HTML."""
        shown = self.values.get("page") or {}
        return shown if isinstance(shown, str) else shown.get("html", "")

    async def until(self, is_so: Callable[[], bool], within: float = PATIENCE) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(within):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def sees(self, *kinds: str, within: float = PATIENCE) -> Frame:
        """Wait until the screen is of one of these kinds; give it."""
        await self.until(lambda: self.screen.get("is") in kinds, within)
        return self.screen

    async def does(self, action: str, **told: Any) -> Frame:
        """Do something on the screen, and give the answer."""
        cid, line = secrets.token_hex(8), self.study
        assert line is not None
        await line.tell(t="do", cid=cid, do=action, **told)

        def answers() -> list[Frame]:
            return [frame for frame in line.frames if frame.get("cid") == cid]

        await self.until(lambda: bool(answers()))
        return answers()[0]

    async def inputs(self, **values: Any) -> None:
        """Change some of the page's inputs."""
        await self._socket.send(json.dumps({"method": "update", "data": values}))

    async def sends(self, form: str, cid: str | None = None, **answers: Any) -> str:
        """Fill in a form and press its button, as the page does it; gives the id."""
        cid = cid or secrets.token_hex(8)
        sent = {"cid": cid, "shown": 1, "changed": 2, "sent": 3, "used": [*answers]}
        await self.inputs(**answers)
        await self.inputs(**{f"{form}_sent": sent})
        return cid

    async def is_stored(self, form: str, cid: str) -> str:
        """Wait for what the session says of a form that was sent: "stored" or "not_stored"."""

        def answers() -> list[str]:
            told = (notice for notice in self.notices if notice["do"] == "form")
            return [each["is"] for each in told if (each["id"], each["cid"]) == (form, cid)]

        await self.until(lambda: bool(answers()))
        return answers()[0]

    def everything(self) -> str:
        """All that it was ever sent, as one text."""
        lines = [line for line in (self.study, self.chat) if line is not None]
        frames = [json.dumps(frame, ensure_ascii=False) for line in lines for frame in line.frames]
        return "\n".join((self.html, *self.shiny, *frames))


@asynccontextmanager
async def visitor(
    port: int,
    *,
    search: str = "",
    outputs: tuple[str, ...] = ("page",),
    key: str | None = None,
    fetches: bool = False,
    sockets: int | None = None,
) -> AsyncIterator[Visitor]:
    """
    Open a page of a server on this machine.

    `key`: the one that its browser keeps; None: a new one. `fetches`: it fetches the app's HTML.
    `sockets`: the port of the server that has its other sockets; None: it is the same one.
    """
    keys = {name: secrets.token_hex(16) for name in ("page", "tab", "browser")}
    keys["browser"] = key or keys["browser"]
    address = f"127.0.0.1:{port}/"
    async with connect(
        f"ws://{address}websocket/", proxy=None, max_size=None, max_queue=None, compression=None
    ) as socket:
        opened = Visitor(port, sockets or port, socket, keys)
        if fetches:
            async with httpx.AsyncClient(trust_env=False) as http:
                opened.html = (await http.get(f"http://{address}{search}")).text
        await opened.open(search, outputs)
        try:
            yield opened
        finally:
            await opened.close()
