"""
The people of studies whose pages are open in one event loop.

Their pages are asked whether they are alive, whether a room is drawn in them or not: a page counts
only as long as its socket is open and it answers. What was heard is stored in the table that all
processes read, so a lobby groups people who are in different processes.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from shiny_labchat.access.recruits import Admitted, Standing, standings
from shiny_labchat.access.revoking import Source
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.presence import ALIVE, Signs
from shiny_labchat.errors import LabChatError
from shiny_labchat.live.elsewhere import PageKey, PagesElsewhere
from shiny_labchat.live.heard import Heard
from shiny_labchat.store import Log, Person

__all__ = ["FIRST_WITHIN", "SHORTEST", "LivePeople", "StudyPage"]

logger = logging.getLogger("shiny_labchat")

FIRST_WITHIN = 0.1
"""How long after a person's first answer it is stored, in seconds; later ones wait for a round."""
SHORTEST = 1.0
"""The shortest time of silence after which a lobby may take somebody as gone, in seconds."""


class StudyPage(Protocol):
    """A page of a person in a study, whose socket is open."""

    @property
    def person(self) -> Person:
        """Whose page it is."""
        ...

    @property
    def id(self) -> str:
        """The page's id."""
        ...

    @property
    def source(self) -> Source | None:
        """The token by which it was let in."""
        ...

    @property
    def generation(self) -> int:
        """The number of its browser among the person's."""
        ...

    @property
    def is_newest(self) -> bool:
        """Whether its browser is the person's newest, which acts."""
        ...

    @property
    def alive(self) -> float:
        """How long it may be silent until its person counts as gone, in seconds."""
        ...

    def ping(self) -> None:
        """Ask it; it answers, if it is alive, whenever it can."""
        ...

    def learn(self, standing: Standing) -> None:
        """Learn what it may do now."""
        ...


class LivePeople:
    """
    The people of one log's studies who have pages in one event loop.

    Parameters
    ----------
    log
        The log.
    heard
        What is heard of people, until it is stored.
    """

    def __init__(self, log: Log, heard: Heard) -> None:
        self._log = log
        self._heard = heard
        self._pages: dict[Person, dict[StudyPage, None]] = {}
        self._by_id: dict[tuple[str, str], dict[StudyPage, None]] = {}
        self._followers: dict[tuple[str, str], set[Callable[[], None]]] = {}
        self._unstored: set[Person] = set()
        self._tasks = Tasks(f"people in {log!r}")
        self._elsewhere = PagesElsewhere(
            log, self._tasks, lambda key: bool(self._by_id.get(key)), self._tell
        )
        self._asking: asyncio.Task[None] | None = None
        self._storing: asyncio.Task[None] | None = None
        self._first: asyncio.Task[None] | None = None

    def come(self, page: StudyPage) -> None:
        """Ask a page from now on."""
        pages = self._pages.setdefault(page.person, {})
        if not pages:
            self._unstored.add(page.person)
        is_newer = any(other.generation < page.generation for other in pages)
        pages[page] = None
        self._by_id.setdefault(_key(page), {})[page] = None
        self._tell(_key(page))
        page.ping()
        if is_newer:
            self.judge(page.person)
        if self._asking is None:
            self._asking = self._tasks.spawn(self._ask())
            self._storing = self._tasks.spawn(self._store())

    def go(self, page: StudyPage) -> None:
        """Ask a page no more."""
        pages = self._pages.get(page.person, {})
        pages.pop(page, None)
        if not pages:
            self._pages.pop(page.person, None)
            self._unstored.discard(page.person)
        same = self._by_id.get(_key(page), {})
        same.pop(page, None)
        if not same:
            self._by_id.pop(_key(page), None)
            self._elsewhere.left(_key(page))
        self._tell(_key(page))

    def follow(self, id: str, page: Admitted, follower: Callable[[], None]) -> Callable[[], None]:
        """
        Call `follower` when a page opens or closes a socket to a study, or may do something else.

        Parameters
        ----------
        id, page
            The page's id, and as what it was let in. Its socket may be in any process; of another
            one it is known a little later.
        follower
            The function.

        Returns
        -------
        Callable
            Ends this.
        """
        key = page.study, id
        self._followers.setdefault(key, set()).add(follower)
        leave = self._elsewhere.follow(key, page)

        def end() -> None:
            leave()
            followers = self._followers.get(key, set())
            followers.discard(follower)
            if not followers:
                self._followers.pop(key, None)

        return end

    def _tell(self, key: PageKey) -> None:
        for follower in tuple(self._followers.get(key, ())):
            follower()

    def note(self, page: StudyPage, signs: Signs) -> None:
        """Note what a page has said; times are the event loop's, in microseconds."""
        self._heard.note(page.person, signs)
        if page.person in self._unstored and self._first is None:
            self._first = self._tasks.spawn(self._store_first())

    def has_page(self, study: str, id: str) -> bool:
        """Whether a page that is followed has a socket to a study open, as far as is known."""
        return bool(self._by_id.get((study, id))) or self._elsewhere.is_open((study, id))

    def is_older(self, study: str, id: str) -> bool:
        """Whether a page that is followed is in a browser whose person has a newer one."""
        here = self._by_id.get((study, id))
        if here:
            return any(not page.is_newest for page in here)
        return self._elsewhere.is_older((study, id))

    def is_here(self, study: str, person: str) -> bool:
        """Whether somebody has a page with an open socket here."""
        return Person(study, person) in self._pages

    def judge(self, person: Person) -> None:
        """Tell the pages of a person what they may do now, as another browser may act instead."""
        pages = tuple(self._pages.get(person, ()))
        self._tasks.spawn(self._judge(pages, is_asked_for=True))

    async def stop(self, seconds: float) -> None:
        """Ask nobody any more, within `seconds`."""
        await self._tasks.stop(seconds)
        self._asking = self._storing = self._first = None

    # ── rounds ──

    @property
    def _alive(self) -> float:
        pages = (page.alive for pages in self._pages.values() for page in pages)
        return max(SHORTEST, min(pages, default=ALIVE))

    async def _ask(self) -> None:
        """Ask all pages twice in `alive`, as long as there are any, and judge them as often."""
        while self._pages:
            await asyncio.sleep(self._alive / 2)
            pages = [page for pages in tuple(self._pages.values()) for page in tuple(pages)]
            for page in pages:
                page.ping()
            await self._judge(pages)
        self._asking = None

    async def _store(self) -> None:
        """Store three times in `alive` what was heard, as long as there are pages."""
        while self._pages:
            await asyncio.sleep(self._alive / 3)
            await self._store_now()
        self._storing = None

    async def _store_first(self) -> None:
        await asyncio.sleep(FIRST_WITHIN)
        self._first = None
        await self._store_now()

    async def _store_now(self) -> None:
        self._unstored.clear()
        try:
            await self._heard.store()
        except LabChatError as exc:
            logger.error("who is here could not be stored; trying again: %s", exc)
        except Exception:  # who waits would be gone if this was not stored any more
            logger.exception("who is here could not be stored; trying again")

    async def _judge(self, pages: Sequence[StudyPage], *, is_asked_for: bool = False) -> None:
        admitted = [Admitted(*page.person, page.source, page.generation) for page in pages]
        try:
            found = await self._log.read(partial(standings, pages=admitted))
        except LabChatError as exc:
            logger.error("which browser of somebody acts is not known: %s", exc)
            return
        except Exception:
            logger.exception("which browser of somebody acts is not known")
            return
        for page, now in zip(pages, found, strict=True):
            was_newest = page.is_newest
            page.learn(now)
            if is_asked_for or page.is_newest != was_newest:
                self._tell(_key(page))


def _key(page: StudyPage) -> PageKey:
    return page.person.study, page.id
