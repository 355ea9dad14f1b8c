"""Asking a member whether they are still there."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import sqlalchemy as sa

from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import Outcome, events_after, room_number

__all__ = ["ask_presence"]

Submit = Callable[[commands.Command], Awaitable[Outcome]]
"""Submits a command to the room."""


async def ask_presence(
    submit: Submit, rooms: LiveRooms, room: LogKey, member: str, within: float
) -> bool:
    """
    Ask a member whether they are still there; return whether they have answered in time.

    The log decides: an answer that comes at the same moment as the end of the time counts if it
    was stored first.
    """
    command = commands.AskPresence(member, round(within * 1e6))
    asked = (await submit(command)).events
    if not asked:  # a bot
        return True
    await _answer(rooms, room, asked[0], within)
    await submit(commands.EndQuestion(member, asked[0].seq))
    return await rooms.log.read(lambda conn: _is_confirmed(conn, room, asked[0]))


async def _answer(rooms: LiveRooms, key: LogKey, asked: Event, within: float) -> None:
    """Wait for the answer, at most `within` seconds."""
    room = await rooms.open(key)
    answered = asyncio.Event()

    def hear(events: Sequence[Event]) -> None:
        if any(_is_answer(event, asked) for event in events):
            answered.set()

    end = room.follow(hear)
    try:
        async with asyncio.timeout(within):
            if not await rooms.log.read(lambda conn: _is_confirmed(conn, key, asked)):
                await answered.wait()
    except TimeoutError:
        pass
    finally:
        end()
        room.leave()


def _is_confirmed(conn: sa.Connection, room: LogKey, asked: Event) -> bool:
    number = room_number(conn, room)
    later = events_after(conn, number, asked.seq, kinds=("presence_confirmed",))
    return any(_is_answer(event, asked) for event in later)


def _is_answer(event: Event, asked: Event) -> bool:
    """Whether an event answers a question, or a later one of the same member."""
    is_confirmed = event.kind == "presence_confirmed" and event.member == asked.member
    return is_confirmed and event.seq > asked.seq
