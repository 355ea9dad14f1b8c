"""
Pages of studies whose Shiny sessions are in this process, and whose sockets are in another one.

Nobody tells this process when such a page opens its socket. The database knows when the page's
person was last heard, and which of their browsers acts; that is looked at now and then.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping
from contextvars import Context

import sqlalchemy as sa

from shiny_labchat.access.recruits import Admitted, standings
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.presence import ALIVE, Signs
from shiny_labchat.errors import LabChatError
from shiny_labchat.store import Log, Person, seen_of

__all__ = ["LOOK", "PageKey", "PagesElsewhere"]

logger = logging.getLogger("shiny_labchat")

LOOK = 0.5
"""Pause between two looks, in seconds."""
REST = 20
"""The same in multiples of the time that a look takes, if that is longer."""

PageKey = tuple[str, str]
"""A page: its study, and the page's id."""


class PagesElsewhere:
    """
    What is known of the sockets of pages whose sessions are in one event loop.

    A page whose socket is in this process, too, costs nothing.

    Parameters
    ----------
    log, tasks
        The log, and what runs the looks.
    is_here
        Whether a page's socket is in this process.
    tell
        Called with a page when something is new.
    """

    def __init__(
        self,
        log: Log,
        tasks: Tasks,
        is_here: Callable[[PageKey], bool],
        tell: Callable[[PageKey], None],
    ) -> None:
        self._log = log
        self._tasks = tasks
        self._is_here = is_here
        self._tell = tell
        self._pages: dict[PageKey, Admitted] = {}
        self._open: set[PageKey] = set()
        self._older: set[PageKey] = set()
        self._left: dict[PageKey, float] = {}
        self._looking: asyncio.Task[None] | None = None

    def is_open(self, key: PageKey) -> bool:
        """Whether a person was heard who has this page: its socket is most likely open."""
        return key in self._open

    def is_older(self, key: PageKey) -> bool:
        """Whether the person of a page has a newer browser."""
        return key in self._older

    def left(self, key: PageKey) -> None:
        """Note that a page has closed its socket in this process: what it said before is over."""
        self._open.discard(key)
        if key in self._pages:
            self._left[key] = asyncio.get_running_loop().time()

    def follow(self, key: PageKey, page: Admitted) -> Callable[[], None]:
        """Look at a page from now on; return what ends this."""
        self._pages[key] = page
        if self._looking is None or self._looking.done():
            self._looking = self._tasks.spawn(self._look_around(), context=Context())

        def end() -> None:
            if self._pages.get(key) is page:  # else its next session follows it already
                del self._pages[key]
                self._open.discard(key)
                self._older.discard(key)
                self._left.pop(key, None)

        return end

    async def _look_around(self) -> None:
        loop, pause = asyncio.get_running_loop(), LOOK
        while self._pages:
            await asyncio.sleep(pause)
            began = loop.time()
            away = {key: page for key, page in self._pages.items() if not self._is_here(key)}
            try:
                await self._look(away)
            except LabChatError as exc:
                logger.error("pages of other processes are not known; trying again: %s", exc)
            pause = max(LOOK, REST * (loop.time() - began))

    async def _look(self, pages: Mapping[PageKey, Admitted]) -> None:
        if not pages:
            return
        people = {Person(page.study, page.person) for page in pages.values()}

        def read(conn: sa.Connection) -> tuple[Mapping[Person, Signs], int, list[bool]]:
            known, now = seen_of(conn, people)
            found = standings(conn, [*pages.values()])
            return known, now, [not each.is_newest for each in found]

        time = asyncio.get_running_loop().time()
        known, now, are_older = await self._log.read(read)
        for (key, page), is_older in zip(pages.items(), are_older, strict=True):
            signs = known.get(Person(page.study, page.person), Signs())
            alive = min(ALIVE, time - self._left.get(key, float("-inf")))
            self._note(key, page, is_open=now - signs.heard < alive * 1e6, is_older=is_older)

    def _note(self, key: PageKey, page: Admitted, *, is_open: bool, is_older: bool) -> None:
        before = key in self._open, key in self._older
        if self._pages.get(key) is not page or before == (is_open, is_older):
            return
        (self._open.add if is_open else self._open.discard)(key)
        (self._older.add if is_older else self._older.discard)(key)
        self._tell(key)
