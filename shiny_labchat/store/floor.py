"""
Which bots compose in a room, and which wait for their turn: a queue, first come first served.

A bot composes at its callback's work, and for that some process has promised to be heard of
again, see `callbacks`. So there is no other promise here: a place in the queue counts as long as
that one does, and who takes over the work begins with giving the place back.
"""

from __future__ import annotations

import time
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import RoomKey
from shiny_labchat.lab.bot_registry import CALLBACK
from shiny_labchat.store.leases import LONGEST
from shiny_labchat.store.queries import find_room
from shiny_labchat.store.schema import callback_room, composing

__all__ = ["Ahead", "ahead", "leave", "queue"]


class Ahead(NamedTuple):
    """
    Who comes before a place in the queue.

    Parameters
    ----------
    head
        The newest event of the room when this was so.
    bots
        The bots, and the newest event when each of them came.
    """

    head: int
    bots: dict[str, int]


def queue(conn: sa.Connection, where: RoomKey, bot: str) -> int:
    """Come to the end of the queue of a room; gives the bot's place there."""
    number, head = _room(conn, where)
    leave(conn, where, bot)
    last = sa.select(sa.func.coalesce(sa.func.max(composing.c.place), 0))
    place = conn.execute(last.where(composing.c.room == number)).scalar_one() + 1
    row = {"room": number, "bot": bot, "place": place, "since": head}
    conn.execute(sa.insert(composing).values(**row))
    return place


def ahead(conn: sa.Connection, where: RoomKey, place: int, now: int | None = None) -> Ahead:
    """
    Who comes before a place, their servers being alive.

    Parameters
    ----------
    where, place
        The room, and the place in its queue.
    now
        Microseconds since 1970 (UTC); None: as the clock has it.
    """
    number, head = _room(conn, where)
    now = time.time_ns() // 1000 if now is None else now
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


def leave(conn: sa.Connection, where: RoomKey, bot: str) -> None:
    """Give a bot's place back, if it has one."""
    number, _ = _room(conn, where)
    here = composing.c.room == number, composing.c.bot == bot
    conn.execute(sa.delete(composing).where(*here))


def _room(conn: sa.Connection, where: RoomKey) -> tuple[int, int]:
    found = find_room(conn, where)
    assert found is not None
    return found
