"""Ours: shiny_labchat, every message on the disk before anybody sees it."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from typing import Any

from tests.bench.clock import now
from tests.bench.sides import shiny_page
from tests.bench.sides.side import ENTER_WITHIN, Line, Person, open_line, uvicorn

__all__ = ["Ours"]


class Ours:
    """The app in ``ours_app.py``. Each person has a page, as in real life: it seats them."""

    name = "ours"
    hears_own = True

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        return uvicorn("tests.bench.sides.ours_app:app", port)

    async def fill(self, url: str, messages: int) -> None:
        """See :meth:`Side.fill`."""
        await _prepare(url, "messages", str(messages))

    async def tickets(self, url: str, room: str, number: int) -> list[str]:
        """Tickets for so many people who have no page open."""
        return (await _prepare(url, "tickets", str(number), room)).split()

    async def enter(
        self, port: int, room: str, *, deflate: bool = False, narrow: bool = False, newest: str = ""
    ) -> Person:
        """See :meth:`Side.enter`."""
        async with asyncio.timeout(ENTER_WITHIN):
            page = await open_line(port, "websocket/", deflate=deflate)
            keys = {"page": secrets.token_hex(16), "browser": secrets.token_hex(16)}
            await shiny_page.greet(page, port, room, chat_hello=keys)
            ticket = await _ticket(page)
            person = await self.come(
                port, deflate=deflate, narrow=narrow, newest=newest, ticket=ticket
            )
        person.page = page
        person.screen += page.received
        return person

    async def come(
        self,
        port: int,
        *,
        deflate: bool = False,
        narrow: bool = False,
        newest: str = "",
        after: int = 0,
        **token: str,
    ) -> Person:
        """Open the chat's socket, with a ``ticket=`` or with ``resume=``."""
        start = now()
        chat = await open_line(port, "labchat/ws", deflate=deflate, narrow=narrow)
        await chat.send(json.dumps({"t": "hello", "v": 1, "after": after, **token}))
        welcome = await shiny_page.told(chat)
        read: dict[str, Any] = json.loads(welcome)
        if read["t"] != "welcome":
            raise RuntimeError(f"not let in: {welcome}")
        while newest not in welcome:
            welcome = await shiny_page.told(chat)
        person = Person(chat, resume=read["resume"], screen=chat.received)
        person.welcomed = now() - start
        return person

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        return json.dumps({"t": "send", "cid": str(number), "text": text})


async def _ticket(page: Line) -> str:
    while True:
        frame: dict[str, Any] = json.loads(await shiny_page.told(page))
        notice = frame.get("custom", {}).get("labchat")
        if notice is not None:
            if notice["do"] != "admit":
                raise RuntimeError(f"not seated: {notice}")
            return notice["ticket"]


async def _prepare(url: str, *what: str) -> str:
    command = "-m", "tests.bench.sides.ours_prepare", url, *what
    process = await asyncio.create_subprocess_exec(
        sys.executable, *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
    )
    output, said = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(what)} could not be prepared: {said.decode()}")
    return output.decode()
