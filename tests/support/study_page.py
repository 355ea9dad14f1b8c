"""A page of a study as the gateway knows one: it speaks frames over a websocket of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from itertools import count
from typing import Any

from websockets.exceptions import ConnectionClosed

from shiny_labchat.access.revoking import Source
from shiny_labchat.access.tickets import study_ticket
from shiny_labchat.store import Log
from tests.support.client import PATIENCE, Browser, Frame, browser

__all__ = ["StudyPage", "study_page"]


class StudyPage:
    """
    One open page of a person, which reads and answers by itself.

    Attributes
    ----------
    browser
        Its socket, and all that it was sent.
    """

    def __init__(self, opened: Browser) -> None:
        self.browser = opened
        self._cids = count(1)
        self._news = asyncio.Event()

    @property
    def screen(self) -> Frame:
        """What the person sees; empty before the first screen."""
        screens = [frame["screen"] for frame in self.browser.frames if frame["t"] == "screen"]
        return screens[-1] if screens else {}

    async def sees(self, kind: str, **fields: Any) -> Frame:
        """Wait until the screen is of a kind and has these fields; give it."""

        def is_so() -> bool:
            return self.screen.get("is") == kind and fields.items() <= self.screen.items()

        await self.until(is_so)
        return self.screen

    async def says(self, line: str) -> None:
        """Wait until the screen has a line."""
        await self.until(lambda: line in self.screen.get("lines", ()))

    async def does(self, action: str, **told: Any) -> Frame:
        """Do something, and give the answer."""
        cid = f"c{next(self._cids)}"
        await self.browser.tell(t="do", cid=cid, do=action, **told)

        def answers() -> list[Frame]:
            return [frame for frame in self.browser.frames if frame.get("cid") == cid]

        await self.until(lambda: bool(answers()))
        return answers()[0]

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something is so."""
        async with asyncio.timeout(PATIENCE):
            while not is_so():
                self._news.clear()
                await self._news.wait()

    async def read(self) -> None:
        """Take in what it is sent, until its socket is closed."""
        while True:
            try:
                await self._hear()
            except ConnectionClosed:
                if self.browser.hidden is None:
                    return
                self.browser.hidden = None  # an answer came too late; what was sent before is read

    async def _hear(self) -> None:
        known = len(self.browser.frames)
        try:
            await self.browser.until(lambda: len(self.browser.frames) > known, within=3_600)
        finally:
            self._news.set()


@asynccontextmanager
async def study_page(
    port: int,
    log: Log,
    study: str,
    person: str,
    *,
    answers: bool = True,
    resume: str | None = None,
    generation: int = 1,
    source: Source | None = None,
    lobby: str | None = None,
) -> AsyncIterator[StudyPage]:
    """
    Open a page of a person's; with a new ticket, or with a resume token.

    `answers`: whether it answers when it is asked whether it is alive.
    """
    token = {"resume": resume or ""}
    if resume is None:
        more: dict[str, Any] = {"generation": generation, "lobby": lobby, "source": source}
        token = {"ticket": await study_ticket(log, study, person, f"page-{person}", **more)}
    async with browser(port, path="/labchat/study") as opened:
        opened.hidden = 0 if answers else None
        await opened.hello(**token)
        page = StudyPage(opened)
        reading = asyncio.create_task(page.read())
        try:
            yield page
        finally:
            reading.cancel()
            with suppress(asyncio.CancelledError):
                await reading
