"""Ours: shiny_labchat, every message on the disk before anybody sees it."""

from __future__ import annotations

import asyncio
import json
import secrets
import sys
from collections.abc import Sequence
from typing import Any

from shiny_labchat.protocol import VERSION
from tests.bench.clock import now
from tests.bench.sides import shiny_page
from tests.bench.sides.side import ENTER_WITHIN, Line, Person, open_line, uvicorn
from tests.support.page import fetch_key

__all__ = ["Ours"]

ANSWERED_WITHIN = 60.0
"""How long an answer to a frame may take, in seconds."""


class Ours:
    """
    The app in ``ours_app.py``. Each person has a page, as in real life: it seats them.

    Parameters
    ----------
    app
        Where the app is, for uvicorn.
    """

    name = "ours"
    hears_own = True

    def __init__(self, app: str = "tests.bench.sides.ours_app:app") -> None:
        self._app = app

    def command(self, port: int) -> Sequence[str]:
        """See :meth:`Side.command`."""
        return uvicorn(self._app, port)

    async def fill(self, url: str, messages: int) -> None:
        """See :meth:`Side.fill`."""
        await _prepare(url, "messages", str(messages))

    async def tickets(self, url: str, room: str, number: int) -> list[str]:
        """Tickets for so many people who have no page open."""
        return (await _prepare(url, "tickets", str(number), room)).split()

    async def enter(
        self,
        port: int,
        room: str,
        *,
        deflate: bool = False,
        narrow: bool = False,
        newest: str = "",
        browser: str | None = None,
        address: str | None = None,
    ) -> Person:
        """
        See :meth:`Side.enter`.

        `browser` is the key of a browser that may have been here; `address`: where it comes from.
        """
        async with asyncio.timeout(ENTER_WITHIN):
            page = await open_line(port, "websocket/", deflate=deflate, address=address)
            try:
                keys = {"page": secrets.token_hex(16), "browser": browser or secrets.token_hex(16)}
                keys["key"] = await fetch_key(port)
                await shiny_page.greet(page, port, room, chat_hello=keys)
                ticket = await _ticket(page)
                person = await self.come(
                    port, deflate=deflate, narrow=narrow, newest=newest, ticket=ticket
                )
            except BaseException:
                page.transport.abort()
                raise
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
        after: str = "",
        **token: str,
    ) -> Person:
        """Open the chat's socket, with a ``ticket=`` or with ``resume=``."""
        start = now()
        chat = await open_line(port, "labchat/ws", deflate=deflate, narrow=narrow)
        await chat.send(json.dumps({"t": "hello", "v": VERSION, "after": after, **token}))
        welcome = await shiny_page.told(chat)
        read: dict[str, Any] = json.loads(welcome)
        if read["t"] != "welcome":
            raise RuntimeError(f"not let in: {welcome}")
        while newest not in welcome:
            welcome = await shiny_page.told(chat)
        person = Person(chat, resume=read["resume"], screen=chat.received)
        # Where nothing of the newest may be shown, the page is told what to ask on with.
        person.newest = read["e"][-1]["id"] if read["e"] else read.get("before") or ""
        person.welcomed = now() - start
        return person

    def frame(self, number: int, text: str) -> str:
        """See :meth:`Side.frame`."""
        return json.dumps({"t": "send", "cid": str(number), "text": text})

    async def stores(self, person: Person, number: int, text: str) -> float:
        """Say something as this person; return how long it takes until it is stored, in s."""
        start = now()
        await person.chat.send(self.frame(number, text))
        await _hears(person, '"t":"acks"')
        return now() - start

    async def is_refused(self, person: Person, number: int, text: str) -> None:
        """Say something as this person, and wait until it is refused."""
        await person.chat.send(self.frame(number, text))
        await _hears(person, '"t":"refused"')

    async def older(self, person: Person) -> None:
        """Ask for the page before the newest message, and wait for it."""
        await person.chat.send(json.dumps({"t": "older", "before": person.newest}))
        await _hears(person, '"t":"older"')


async def _hears(person: Person, mark: str) -> None:
    async with asyncio.timeout(ANSWERED_WITHIN):
        while mark not in await shiny_page.told(person.chat):
            pass


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
