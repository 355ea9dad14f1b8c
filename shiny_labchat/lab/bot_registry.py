"""The bots of each room, so that they are members before the first person joins."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

from shiny_labchat.callbacks.skipping import Complete, Skipped
from shiny_labchat.concurrency import Tasks
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import Moment

__all__ = ["CALLBACK", "BotRegistry", "RoomBot", "cid_of"]

logger = logging.getLogger("shiny_labchat")

CALLBACK = "bot:"
"""The beginning of the name of a bot's callback; the bot's id follows."""


def cid_of(seq: int) -> str:
    """The id in the log of what a bot writes because of the event with this seq."""
    return f"{CALLBACK}{seq}"


class RoomBot(Protocol):
    """The interface of a bot that rooms use."""

    @property
    def id(self) -> str:
        """Its member id."""
        ...

    @property
    def moments(self) -> Sequence[Moment]:
        """The moments of rooms' times at which it may write."""
        ...

    def moments_in(self, state: RoomState) -> Sequence[Moment]:
        """Those in a room; none where the bot is not, and will not be."""
        ...

    def is_in(self, state: RoomState) -> bool:
        """Whether it takes part in a room, or will once this is used."""
        ...

    def described(self, *, with_clients: bool) -> list[dict[str, Any]]:
        """What it is, as JSON values; with its models it may take long: call it in a thread."""
        ...

    async def enter(self, room: Any) -> object:
        """Join a room; a bot that was removed does not join again."""
        ...

    async def skip(
        self, room: Any, messages: Sequence[Complete], state: RoomState | None
    ) -> Skipped:
        """Decide to how many of the next messages it does not react, see `Skip`."""
        ...

    async def react(self, room: Any, message: Message) -> None:
        """React to a message, with a message or with none."""
        ...

    async def act(self, room: Any, trigger: Event) -> None:
        """Write a message, as a moment has come or the app asks; or none."""
        ...


class _Entry(NamedTuple):
    number: int
    scope: Scope
    bot: RoomBot


class BotRegistry:
    """The bots of one lab in this process, by their ids and rooms. They are never removed."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, Scope], _Entry] = {}
        # By the ids of their rooms: the bots of other rooms must not slow a room down.
        self._of_ids: dict[str, set[tuple[str, Scope]]] = {}
        self._of_globs: set[tuple[str, Scope]] = set()
        self._tasks = Tasks("bots")

    def add(self, scope: Scope, bot: RoomBot) -> None:
        """Add a bot for some rooms; one with the same id, for the same rooms, is replaced."""
        key = bot.id, scope
        known = self._all.get(key)
        self._all[key] = _Entry(len(self._all) if known is None else known.number, scope, bot)
        ids = scope.ids
        for home in [self._of_ids.setdefault(id, set()) for id in ids] if ids else [self._of_globs]:
            home.add(key)

    def of_room(self, room: LogKey) -> list[RoomBot]:
        """The bots of a room; of several with one id, only the one that reacts there."""
        keys = self._of_globs | self._of_ids.get(room.id, set())
        found = [self._all[key] for key in keys if key[1].covers(room)]
        found.sort(key=lambda each: (each.scope.room is not None, each.number))
        return [*{each.bot.id: each.bot for each in found}.values()]

    def of_study(self, study: str) -> list[tuple[Scope, RoomBot]]:
        """The bots that may be in rooms of a study, and their rooms, in the order of adding."""
        found = [each for each in self._all.values() if each.scope.may_be_in(study)]
        return [(each.scope, each.bot) for each in sorted(found, key=lambda each: each.number)]

    async def enter(self, key: LogKey, room: Any) -> None:
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
