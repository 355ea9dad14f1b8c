"""Honest people in rooms under attack: they talk, have programmes stream, and come and go."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from shiny_labchat import Room
from shiny_labchat.access.tickets import ticket
from shiny_labchat.protocol import VERSION
from tests.support.client import Browser, Frame, browser
from tests.support.page import page

if TYPE_CHECKING:
    from tests.fuzz.world import World

__all__ = ["User", "key_of", "words"]

STREAMS = 0.2
"""The share of what somebody with a session says that begins a stream."""


def words(word: str, number: int) -> str:
    """What the app streams."""
    return "".join(f"{word}{n} " for n in range(number))


def key_of(item: Frame) -> int:
    """A message as people are shown it."""
    return hash((item["h"], item["name"], str([list(part) for part in item["parts"]])))


class User:
    """
    Somebody who talks, listens, and comes and goes.

    Parameters
    ----------
    has_session
        Whether they have a page of Shiny's open, whose app changes what they say, and streams.
    """

    def __init__(self, world: World, room: Room, member: str, has_session: bool) -> None:
        self.room = room
        self.member = member
        self.upto = ""
        self.stored: dict[str, str] = {}
        self._world = world
        self._has_session = has_session
        self._items: dict[str, Frame] = {}
        self._token: dict[str, str] = {}

    @property
    def seen(self) -> dict[str, int]:
        """What they have been shown, by the ids of items."""
        return {id: key_of(item) for id, item in self._items.items()}

    @property
    def doubtful(self) -> dict[str, str]:
        """The streams that did not come to a good end, as they were shown."""
        items = self._items.items()
        ends = {id: item.get("is", "live" if "live" in item else "done") for id, item in items}
        return {id: end for id, end in ends.items() if end != "done"}

    async def talk(self) -> None:
        """Talk until all is over."""
        async with self._page() as raw:
            self._token = {"ticket": raw}
            while not self._world.over.is_set():
                await self._comes(self._world.rng.randint(3, 40))

    @asynccontextmanager
    async def _page(self) -> AsyncIterator[str]:
        room, world = self.room, self._world
        if not self._has_session:
            yield await ticket(room.log, room.key, self.member, "page")
            return
        link = await world.lab.invite(self.member, room=room)
        search = f"?room={room.id}&labchat={link}"
        async with page(world.port, search=search) as opened:
            yield await opened.ticket()

    async def catches_up(self, newest: str) -> None:
        """Come once more, when all is over, and see what there is up to this item."""
        while self.upto != newest:
            await self._comes(0, newest)

    async def _comes(self, says: int, newest: str = "") -> None:
        async with browser(self._world.port) as here:
            here.items, here.upto = self._items, self.upto
            await here.tell(t="hello", v=VERSION, after=self.upto, **self._token)
            await here.until(lambda: bool(here.frames))
            if here.frames[0].get("again"):  # too many are waiting
                return await self._world.pause(0.3)
            assert here.welcome, f"{self.member} was not let in: {here.frames[0]}"
            assert not here.welcome["reset"] or self.upto == "", "an honest person is lost"
            self._token = {"resume": here.welcome["resume"]}
            for _ in range(says):
                await self._says(here)
            await here.until(lambda: not newest or here.upto == newest)
            await here.settles()
            self.stored |= here.stored
            self._items, self.upto = here.items, here.upto

    async def _says(self, here: Browser) -> None:
        world = self._world
        if world.over.is_set():
            return
        word, number = secrets.token_hex(4).upper(), world.rng.randint(1, 150)
        streams = self._has_session and world.rng.random() < STREAMS
        text = f"honest stream {word} {number}" if streams else f"honest {word}"
        start, cid = time.monotonic(), f"h-{secrets.token_hex(6)}"
        world.note(self.member, json.dumps({"t": "send", "cid": cid, "text": text}), "")
        world.cids.append(cid)
        if streams:
            world.asked[word] = words(word, number)
        await here.send(text, cid)
        await here.until(lambda: cid in here.stored or here.frames[-1]["t"] in ("refused", "bye"))
        assert cid in here.stored, f"{self.member} was refused: {here.frames[-1]}"
        world.delays.append(time.monotonic() - start)
        if streams:
            await self._sees_begin(here, word)
        with suppress(TimeoutError):  # hears what others say
            async with asyncio.timeout(world.rng.uniform(0.1, 0.5)):
                await here.until(lambda: False)

    async def _sees_begin(self, here: Browser, word: str) -> None:
        def found() -> list[str]:
            return [id for id, item in here.items.items() if item.get("as") == word]

        await here.until(lambda: bool(found()), within=30)
        self._world.streams.append((self.room, found()[0]))
