"""
The queue of bots that compose in a room, or wait to compose: first come, first served.

A bot composes while its callback handles a message, and for that its process holds a lease, see
`callbacks`. So there is no second lease here: a place in the queue counts as long as the
callback's lease does. A process that takes over the work first gives the old place back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.messages import Message
from shiny_labchat.errors import LabChatError
from shiny_labchat.lab.bot_registry import CALLBACK
from shiny_labchat.lab.room import Room
from shiny_labchat.live.room import LiveRoom
from shiny_labchat.store.leases import LONGEST, lease_time
from shiny_labchat.store.queries import find_room, room_number
from shiny_labchat.store.schema import callback_room, composing

__all__ = ["Ahead", "ComposingTurn", "ahead", "composing_turn", "has_place", "join", "leave"]

logger = logging.getLogger("shiny_labchat")

WAIT = 0.2
"""How often a waiting bot checks whether its turn has come, in seconds."""


class Ahead(NamedTuple):
    """
    The bots before a place in the queue.

    Parameters
    ----------
    head
        The room's newest seq when the queue was read.
    bots
        The bots, and the room's newest seq when each of them joined the queue.
    """

    head: int
    bots: dict[str, int]


def join(conn: sa.Connection, where: LogKey, bot: str) -> int:
    """Join the queue of a room at its end; return the bot's place."""
    number, head = _room(conn, where)
    leave(conn, where, bot)
    last = sa.select(sa.func.coalesce(sa.func.max(composing.c.place), 0))
    place = conn.execute(last.where(composing.c.room == number)).scalar_one() + 1
    row = {"room": number, "bot": bot, "place": place, "since": head}
    conn.execute(sa.insert(composing).values(**row))
    return place


def ahead(conn: sa.Connection, where: LogKey, place: int, now: int | None = None) -> Ahead:
    """
    The bots before a place whose servers are alive.

    Parameters
    ----------
    where, place
        The room, and the place in its queue.
    now
        The time, as in `lease_time`; None: now.
    """
    number, head = _room(conn, where)
    now = lease_time(conn) if now is None else now
    at_work = sa.and_(
        callback_room.c.room == composing.c.room,
        callback_room.c.callback == sa.literal(CALLBACK) + composing.c.bot,
        callback_room.c.owner.is_not(None),
        callback_room.c.until > now,
        callback_room.c.until <= now + LONGEST,
    )
    found = (
        sa.select(composing.c.bot, composing.c.since)
        .select_from(composing.join(callback_room, at_work))
        .where(composing.c.room == number, composing.c.place < place)
    )
    return Ahead(head, {bot: since for bot, since in conn.execute(found)})


def leave(conn: sa.Connection, where: LogKey, bot: str) -> None:
    """Give a bot's place back, if it has one."""
    conn.execute(sa.delete(composing).where(*_here(conn, where, bot)))


def has_place(conn: sa.Connection, where: LogKey, bot: str) -> bool:
    """Whether a bot has a place in the queue."""
    found = sa.select(composing.c.place).where(*_here(conn, where, bot))
    return conn.execute(found).first() is not None


def _here(conn: sa.Connection, where: LogKey, bot: str) -> tuple[sa.ColumnElement[bool], ...]:
    return composing.c.room == room_number(conn, where), composing.c.bot == bot


def _room(conn: sa.Connection, where: LogKey) -> tuple[int, int]:
    found = find_room(conn, where)
    assert found is not None
    return found


class ComposingTurn:
    """
    A bot's turn to compose. Made by `composing_turn`.

    Parameters
    ----------
    room, live
        The room, and the same room in memory.
    place
        The bot's place in the queue.

    Attributes
    ----------
    was_awaited
        Whether the bot had to wait for others.
    """

    def __init__(self, room: Room, live: LiveRoom, place: int) -> None:
        self.was_awaited = False
        self._room = room
        self._live = live
        self._place = place
        self._ahead: dict[str, int] = {}

    async def has_come(self) -> bool:
        """Read the queue, and catch up with the room; return whether the turn has come."""
        where, place, live = self._room.key, self._place, self._live
        found = await self._room.log.read(lambda conn: ahead(conn, where, place))
        self._ahead = found.bots
        while live.state.seq < found.head and await live.catch_up():
            pass
        return len(self._ahead) < live.state.rules.max_composing

    async def wait(self) -> None:
        """Wait a moment for the bots before this one."""
        self.was_awaited = True
        await asyncio.sleep(WAIT)

    def unsaid(self, talk: Sequence[Message]) -> int:
        """How many bots before this one have not posted yet what they compose."""
        last = {message.member: message.seq for message in talk}
        return sum(last.get(bot, 0) <= since for bot, since in self._ahead.items())


@asynccontextmanager
async def composing_turn(room: Room, live: LiveRoom, bot: str) -> AsyncGenerator[ComposingTurn]:
    """Wait for the bot's turn to compose, see `Rules.max_composing`; afterwards, give it back."""
    log, where = room.log, room.key
    turn = ComposingTurn(room, live, await log.write(lambda conn, now: join(conn, where, bot)))
    try:
        while not await turn.has_come():
            await turn.wait()
        yield turn
    finally:
        leaving = log.write(lambda conn, now: leave(conn, where, bot))
        try:
            await asyncio.shield(leaving)
        except LabChatError as exc:  # its next message, or the end of its lease, frees the place
            logger.error(
                "bot %r could not give back its turn in room %r; its next message does so: %s",
                *(bot, where.id, exc),
            )
