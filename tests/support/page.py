"""A page of Shiny's as its server knows one: the session's own websocket, spoken by hand."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect

__all__ = ["Page", "fetch_key", "page"]

Notice = dict[str, Any]
PATIENCE = 20.0
"""How long a page waits for what it is told to wait for, in seconds."""


class Page:
    """
    One page with some chats in it, as its Shiny session sees it. Made by `page`.

    Attributes
    ----------
    notices
        What the chats' elements were told, by chat, oldest first.
    values
        What the outputs show.
    search
        The part of its address from the question mark on.
    notifications
        What Shiny was told to show in its corner, as HTML.
    """

    def __init__(
        self, socket: ClientConnection, port: int, chats: Sequence[str], search: str, key: str
    ) -> None:
        self.socket = socket
        self.search = search
        self.notifications: list[str] = []
        self.notices = defaultdict[str, list[Notice]](list, {chat: [] for chat in chats})
        self.values: dict[str, Any] = {}
        self._port = port
        self._keys = {"page": secrets.token_hex(16), "browser": key}
        self._asked = 0

    def continues(self, before: Page, lost: Mapping[str, Any]) -> None:
        """Be the same page in the same browser as another one; `lost` is where that stood."""
        self._keys = {**before._keys, **lost}

    def keeps(self, page_key: str) -> None:
        """Come with this key of a page."""
        self._keys = {**self._keys, "key": page_key}

    @property
    def browser(self) -> str:
        """The key that its browser keeps."""
        return self._keys["browser"]

    @property
    def id(self) -> str:
        """The page's own id."""
        return self._keys["page"]

    async def begin(self, outputs: Sequence[str] = ()) -> None:
        """Say what a page says first: where it is, what it shows, and who wants to come in."""
        data: dict[str, Any] = {
            ".clientdata_pixelratio": 1,
            ".clientdata_singletons": "",
            ".clientdata_url_hash": "",
            ".clientdata_url_hash_initial": "",
            ".clientdata_url_hostname": "127.0.0.1",
            ".clientdata_url_pathname": "/",
            ".clientdata_url_port": str(self._port),
            ".clientdata_url_protocol": "http:",
            ".clientdata_url_search": self.search,
        }
        data |= {f".clientdata_output_{name}_hidden": False for name in outputs}
        data[".clientdata_labchat_hello:shiny_labchat.page"] = self._keys
        data |= {f"{chat}_hello": self._keys for chat in self.notices}
        await self.socket.send(json.dumps({"method": "init", "data": data}))

    async def ticket(self, chat: str = "chat") -> str:
        """Wait until a chat has let this page in; gives its ticket."""
        await self.until(lambda: bool(self.notices[chat]))
        notice = self.notices[chat].pop(0)
        assert notice["do"] == "admit", notice
        return notice["ticket"]

    async def asks_again(self, chat: str = "chat") -> str:
        """Ask for another ticket, and wait for it."""
        self._asked += 1
        self.notices[chat].clear()
        data = {f"{chat}_hello": {**self._keys, "n": self._asked}}
        await self.socket.send(json.dumps({"method": "update", "data": data}))
        return await self.ticket(chat)

    async def asks_as(self, key: str, chat: str = "chat") -> Notice:
        """Ask as another browser, which keeps this key; gives the answer."""
        self._keys = {**self._keys, "browser": key}
        self._asked += 1
        self.notices[chat].clear()
        data = {f"{chat}_hello": {**self._keys, "n": self._asked}}
        await self.socket.send(json.dumps({"method": "update", "data": data}))
        await self.until(lambda: bool(self.notices[chat]))
        return self.notices[chat].pop(0)

    async def update(self, **inputs: object) -> None:
        """Change some of the page's inputs."""
        await self.socket.send(json.dumps({"method": "update", "data": inputs}))

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Take in what the session says until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                frame = json.loads(await self.socket.recv())
                self.values |= frame.get("values") or {}
                if "updateQueryString" in frame:
                    self.search = "?" + frame["updateQueryString"]["queryString"].partition("?")[2]
                shown = frame.get("notification", {}).get("message", {})
                if "html" in shown:
                    self.notifications.append(shown["html"])
                notice = frame.get("custom", {}).get("labchat")
                if notice is not None:
                    self.notices[notice["id"]].append(notice)


async def fetch_key(port: int, path: str = "/websocket/") -> str:
    """The key that a page fetches whose session is at this path."""
    address = f"http://127.0.0.1:{port}{path.removesuffix('websocket/')}labchat/key"
    async with httpx.AsyncClient(verify=False, trust_env=False) as client:
        answer = await client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


@asynccontextmanager
async def page(
    port: int,
    *,
    chats: Sequence[str] = ("chat",),
    outputs: Sequence[str] = (),
    search: str = "",
    key: str | None = None,
    before: Page | None = None,
    lost: Mapping[str, Any] | None = None,
    path: str = "/websocket/",
    page_key: str | None = None,
    **options: Any,
) -> AsyncIterator[Page]:
    """
    Open a page of a server on this machine, whose app has these chats and outputs.

    `search` is what its address asks for, `key` the one that its browser keeps (None: a new one).
    With `before` it is that same page, in its next session; `lost` is where it stood. It fetches
    the key of a page, unless it is given one. Other options are the socket's.
    """
    address = f"ws://127.0.0.1:{port}{path}"
    options |= {"proxy": None, "max_size": None, "max_queue": None}
    async with connect(address, **options) as socket:
        opened = Page(socket, port, chats, search, key or secrets.token_hex(16))
        if before is not None:
            opened.continues(before, lost or {})
        opened.keeps(await fetch_key(port, path) if page_key is None else page_key)
        await opened.begin(outputs)
        yield opened
