"""Which bots are for which rooms, so that they are there before the first person is."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Protocol, cast

from shiny_labchat.callbacks import scheduler
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.scope import Scope
from shiny_labchat.store import Log

__all__ = ["CALLBACK", "RoomBot", "bots_of", "enter_soon", "register_bot"]

logger = logging.getLogger("shiny_labchat")


class RoomBot(Protocol):
    """A bot, as rooms know it."""

    @property
    def id(self) -> str:
        """Its member id."""
        ...

    async def enter(self, room: Any) -> object:
        """Be a member of a room; who was removed stays away."""
        ...

    async def react(self, room: Any, message: Message) -> None:
        """Say something to a message, or nothing."""
        ...


def register_bot(log: Log, scope: Scope, bot: RoomBot, room_of: scheduler.RoomOf) -> None:
    """
    Have a bot react in some rooms, from now on and after each restart; see `Lab.add_bot`.

    One with the same id, in the same rooms, is replaced. It follows rooms as callbacks do.
    """

    if not isinstance(cast(object, getattr(bot, "id", None)), str):
        raise TypeError(f"bot must be a Bot, such as Bot('helper', respond=...), not {bot!r}")

    async def react(room: Any, member: Member | None, message: Message) -> None:
        await bot.react(room, message)

    scheduler.register(log, scope, react, f"{CALLBACK}{bot.id}", room_of)
    _bots.setdefault(log, {})[bot.id, scope] = bot


def bots_of(log: Log, room: RoomKey) -> list[Callable[[Any], Awaitable[object]]]:
    """
    How the bots of a room enter it; of one id the one that reacts there, see `CallbackScheduler`.

    None of them keeps others from coming in.
    """
    known = sorted(_bots.get(log, {}).items(), key=lambda each: each[0][1].room is not None)
    here = {id: bot for (id, scope), bot in known if scope.covers(room)}
    return [partial(_enter, bot) for bot in here.values()]


def enter_soon(bot: RoomBot, room: Any) -> None:
    """Have a bot enter a room that is in use already, if an event loop runs."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return  # it enters when the room is next used
    _tasks.spawn(_enter(bot, room))


async def _enter(bot: RoomBot, room: Any) -> None:
    try:
        await bot.enter(room)
    except Exception:
        logger.exception("bot %r could not enter %r", bot.id, room)


_tasks = Tasks("bots")
_bots: dict[Log, dict[tuple[str, Scope], RoomBot]] = {}

CALLBACK = "bot:"
"""What the name of a bot's callback begins with; its id follows."""
