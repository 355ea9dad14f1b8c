"""What tests of buses share: labs that are as in two processes, and a bus that loses messages."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection, Sequence

import sqlalchemy as sa

from shiny_labchat import Lab, Room
from shiny_labchat.bus import Bus
from shiny_labchat.bus.base import Hear, Message, Transport
from shiny_labchat.domain.events import Event
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store import events_after, find_room, parse
from shiny_labchat.store.log import Log
from tests.support.bus_servers import lasts

__all__ = [
    "Unreliable",
    "eventually",
    "live",
    "log_of",
    "other_process",
    "seqs_in",
    "unreliable_bus",
]

PATIENCE = 30.0
"""How long something is waited for on a machine that is busy, in seconds."""


def other_process(lab: Lab) -> Lab:
    """The same database through a log of its own, as another process has it."""
    again = Lab(lab.url)
    again._log = Log(parse(lab.url))
    return again


async def live(lab: Lab, room: Room) -> LiveRoom:
    """A room, open in a lab."""
    return await Runtime.of(lab.log).live.open(room.key)


def seqs_in(room: LiveRoom) -> list[int]:
    """A list that gets the seq of each event of an open room from now on."""
    seqs: list[int] = []
    room.follow(lambda events: seqs.extend(event.seq for event in events))
    return seqs


async def log_of(room: Room) -> list[Event]:
    """The whole log of a room."""

    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, room.key)
        return [] if found is None else events_after(conn, found[0], 0)

    return await room.log.read(read)


async def eventually(is_so: Callable[[], object], within: float = PATIENCE) -> None:
    """Wait until something is so."""
    for _ in range(round(within * 100)):
        if is_so():
            return
        await lasts(0.01)
    raise AssertionError(f"not within {within} seconds")


class Unreliable:
    """
    A connection that loses a tenth of all messages, doubles a tenth, and delays a tenth.

    Parameters
    ----------
    transport
        A connection that is better.
    chance
        Decides what becomes of each.
    """

    def __init__(self, transport: Transport, chance: random.Random) -> None:
        self._transport = transport
        self._chance = chance
        self._late: list[Message] = []

    @property
    def has_topics(self) -> bool:
        return self._transport.has_topics

    async def open(self, lab: str, hear: Hear) -> None:
        def hear_some(message: Message) -> None:
            fate = self._chance.random()
            if fate < 0.1:
                return
            if fate < 0.2:
                self._late.append(message)
                return
            hear(message)
            if fate < 0.3:
                hear(message)
            late, self._late = self._late, []
            for each in late:
                hear(each)

        await self._transport.open(lab, hear_some)

    async def subscribe(self, topics: Collection[str]) -> None:
        await self._transport.subscribe(topics)

    async def unsubscribe(self, topics: Collection[str]) -> None:
        await self._transport.unsubscribe(topics)

    async def publish(self, messages: Sequence[Message]) -> None:
        await self._transport.publish(messages)

    async def run(self) -> None:
        await self._transport.run()

    async def close(self) -> None:
        await self._transport.close()


def unreliable_bus(lab: Lab, make: Callable[[], Transport], seed: int) -> None:
    """Have a lab use a bus that loses messages."""
    chance = random.Random(seed)
    name = Runtime.of(lab.log)._name_on_bus
    lab.log.use_bus(Bus("unreliable", lambda: Unreliable(make(), chance), name))
