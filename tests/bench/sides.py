"""The two that are measured: how each is started, and how a person gets into its room."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, Protocol

from websockets.asyncio.client import ClientConnection, connect

__all__ = ["BARE", "OURS", "Person", "Side"]

APP = Path(__file__).with_name("app.py")


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody in the room: the socket of the chat, and that of their page if there is one."""

    chat: ClientConnection
    page: ClientConnection | None = None


class Side(Protocol):
    """One of the two."""

    @property
    def name(self) -> Literal["bare", "ours"]:
        """What it is called in the report."""
        ...

    def command(self, port: int) -> Sequence[str]:
        """What starts its server."""
        ...

    async def enter(self, port: int, deflate: bool) -> Person:
        """Let one more person in; done when what is said from now on reaches them."""
        ...

    def frame(self, number: int, text: str) -> str:
        """What a browser sends to say something."""
        ...


class Bare:
    """The broadcast in ``bare.py``."""

    name: Literal["bare"] = "bare"

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        # `shiny run` allows itself no uvloop (py-shiny #1373); the same loop for both, then.
        server = "uvicorn", "--loop", "asyncio", "--port", str(port), "--log-level", "warning"
        return [sys.executable, "-m", *server, "tests.bench.bare:app"]

    async def enter(self, port: int, deflate: bool) -> Person:
        """See :meth:`Side.enter`."""
        return Person(await _open(port, "ws", deflate))

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        return json.dumps({"cid": str(number), "text": text})


class Ours:
    """The app in ``app.py``. Each person has a page, as in real life: its session seats them."""

    name: Literal["ours"] = "ours"

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        server = "shiny", "run", "--port", str(port), "--log-level", "warning", str(APP)
        return [sys.executable, "-m", *server]

    async def enter(self, port: int, deflate: bool) -> Person:
        """See :meth:`Side.enter`."""
        page = await _open(port, "websocket/", deflate)
        await page.send(_init(port))
        async with asyncio.timeout(30):
            ticket = await _ticket(page)
            chat = await _open(port, "labchat/ws", deflate)
            await chat.send(json.dumps({"t": "hello", "v": 1, "ticket": ticket, "after": 0}))
            welcome = json.loads(await chat.recv())
        if welcome["t"] != "welcome":
            raise RuntimeError(f"not let in: {welcome}")
        return Person(chat, page)

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        return json.dumps({"t": "send", "cid": str(number), "text": text})


BARE: Side = Bare()
OURS: Side = Ours()


async def _open(port: int, path: str, deflate: bool) -> ClientConnection:
    return await connect(
        f"ws://127.0.0.1:{port}/{path}",
        compression="deflate" if deflate else None,
        max_size=None,
        max_queue=None,  # a page's socket is not read any more once its person is seated
        ping_interval=None,
    )


def _init(port: int) -> str:
    """What a page of Shiny's begins with, and our element's question for a seat."""
    data: dict[str, Any] = {
        ".clientdata_pixelratio": 1,
        ".clientdata_singletons": "",
        ".clientdata_url_hash": "",
        ".clientdata_url_hash_initial": "",
        ".clientdata_url_hostname": "127.0.0.1",
        ".clientdata_url_pathname": "/",
        ".clientdata_url_port": str(port),
        ".clientdata_url_protocol": "http:",
        ".clientdata_url_search": "",
        "chat_hello": {"page": secrets.token_hex(16), "browser": secrets.token_hex(16)},
    }
    return json.dumps({"method": "init", "data": data})


async def _ticket(page: ClientConnection) -> str:
    async for frame in page:
        notice = json.loads(frame).get("custom", {}).get("labchat")
        if notice is not None:
            if notice["do"] != "admit":
                raise RuntimeError(f"not seated: {notice}")
            return notice["ticket"]
    raise RuntimeError("the page's session ended before it gave a seat")
