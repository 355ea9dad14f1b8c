"""The bots of each room, so that they are members before the first person joins."""

from __future__ import annotations

import asyncio
import logging
from typing import Any, Protocol

from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.scope import Scope

__all__ = ["CALLBACK", "BotRegistry", "RoomBot"]

logger = logging.getLogger("shiny_labchat")

CALLBACK = "bot:"
"""The beginning of the name of a bot's callback; the bot's id follows."""


class RoomBot(Protocol):
    """The interface of a bot that rooms use."""

    @property
    def id(self) -> str:
        """Its member id."""
        ...

    async def enter(self, room: Any) -> object:
        """Join a room; a bot that was removed does not join again."""
        ...

    async def react(self, room: Any, message: Message) -> None:
        """React to a message, with a message or with none."""
        ...


class BotRegistry:
    """The bots of one lab in this process, by their ids and rooms."""

    def __init__(self) -> None:
        self._bots: dict[tuple[str, Scope], RoomBot] = {}
        self._tasks = Tasks("bots")

    def add(self, scope: Scope, bot: RoomBot) -> None:
        """Add a bot for some rooms; one with the same id, for the same rooms, is replaced."""
        self._bots[bot.id, scope] = bot

    def of_room(self, room: RoomKey) -> list[RoomBot]:
        """The bots of a room; of several with one id, only the one that reacts there."""
        known = sorted(self._bots.items(), key=lambda each: each[0][1].room is not None)
        return [*{id: bot for (id, scope), bot in known if scope.covers(room)}.values()]

    async def enter(self, key: RoomKey, room: Any) -> None:
        """Have all bots of a room enter it; one that fails does not stop the others."""
        for bot in self.of_room(key):
            await _enter(bot, room)

    def enter_soon(self, bot: RoomBot, room: Any) -> None:
        """Have a bot enter a room that is in use already, if an event loop runs."""
        try:
            asyncio.get_running_loop()
        except RuntimeError:
            return  # it enters when the room is next used
        self._tasks.spawn(_enter(bot, room))


async def _enter(bot: RoomBot, room: Any) -> None:
    try:
        await bot.enter(room)
    except Exception:
        logger.exception("bot %r could not enter %r", bot.id, room)
