"""People in many rooms, each at some worker, and at another one when that is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Any

from shiny_labchat import Lab, Room, Rules, StoreError
from shiny_labchat.access.tickets import ticket
from tests.bench.clock import beats, pause
from tests.support.reconnecting_client import ReconnectingClient

__all__ = ["STUDY", "People", "people"]

STUDY = "tests"
AT_ONCE = 20
"""People who come in at the same time."""
ASK_AGAIN = 0.2
"""Pause before a ticket is asked for again while the database is away, in seconds."""
COME_WITHIN = 60.0
"""How long it may take until somebody is in, in seconds."""


class _Roamer(ReconnectingClient):
    """Goes to another worker, chosen by chance, each time it connects."""

    def __init__(self, ports: Sequence[int], room: Room, member: str, chance: Random) -> None:
        super().__init__(chance.choice(ports), self._ask_for_ticket, chance)
        self._ports = ports
        self._room = room
        self._member = member
        self._has_come = False

    async def _ask_for_ticket(self) -> str:
        while True:
            try:
                return await ticket(
                    self._room.log, self._room.key, self._member, f"page-of-{self._member}"
                )
            except StoreError:
                await pause(ASK_AGAIN)

    def _connect(self, **options: Any) -> AbstractAsyncContextManager[Any]:
        if self._has_come:
            others = [port for port in self._ports if port != self.port]
            self.port = self._chance.choice(others or self._ports)
        self._has_come = True
        return super()._connect(**options)


class People:
    """
    All people of a run. Made by `people`.

    Attributes
    ----------
    rooms
        The rooms, each with those who are in it.
    """

    def __init__(self, rooms: list[tuple[Room, list[ReconnectingClient]]]) -> None:
        self.rooms = rooms
        self._all = [
            one for turn in zip(*(some for _, some in rooms), strict=False) for one in turn
        ]
        self._next = 0

    async def talk(self, seconds: float, rate: float) -> None:
        """Say so many messages a second, in turn; nobody waits until something is stored."""
        number = max(1, round(seconds * rate))
        async with asyncio.TaskGroup() as saying:
            async for _ in beats(number, rate):
                speaker = self._all[self._next % len(self._all)]
                saying.create_task(speaker.say(f"message {self._next}"))
                self._next += 1

    @property
    def said(self) -> int:
        """How many messages all of them have said."""
        return self._next


@asynccontextmanager
async def people(
    lab: Lab, ports: Sequence[int], number: int, rooms: int, chance: Random
) -> AsyncIterator[People]:
    """So many people, spread over so many rooms, from their coming to their leaving."""
    made = [
        await lab.create_room(f"room-{k}", study=STUDY, rules=Rules(rate=None))
        for k in range(rooms)
    ]
    inside: list[list[ReconnectingClient]] = [[] for _ in made]
    free = asyncio.Semaphore(AT_ONCE)

    async def come(k: int) -> None:
        room, member = made[k % rooms], f"p{k}"
        async with free:
            await room.add_member(member)
            one = _Roamer(ports, room, member, Random(chance.getrandbits(64)))
            inside[k % rooms].append(await one.open())
            await one.until(lambda: one.lines > 0, within=COME_WITHIN)

    try:
        await asyncio.gather(*(come(k) for k in range(number)))
        yield People(list(zip(made, inside, strict=True)))
    finally:
        leaving = [one.leave() for some in inside for one in some]
        left = await asyncio.gather(*leaving, return_exceptions=True)
    for error in left:
        if isinstance(error, Exception):
            raise error
