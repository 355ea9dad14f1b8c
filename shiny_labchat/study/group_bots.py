"""The bots that are members of every group of a lobby, or of those in some conditions."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol, cast

import sqlalchemy as sa

from shiny_labchat.arguments import check_function
from shiny_labchat.callbacks.skipping import Complete, Skipped
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.grouping import Cell
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import Moment
from shiny_labchat.lab.bot_registry import RoomBot
from shiny_labchat.lab.room import Room

__all__ = ["GroupBot", "ShownBot", "group_bots"]


class ShownBot(RoomBot, Protocol):
    """A bot, and how it is shown."""

    @property
    def is_disclosed(self) -> bool:
        """Whether it is shown as an assistant."""
        ...


class GroupBot:
    """
    The bots with one id of the groups of a lobby: one of them in each condition, or none.

    Parameters
    ----------
    id
        The id.
    lobby
        The lobby's id.
    by_cell
        The conditions and their bots; a condition that is `ALL` stands for all.
    """

    def __init__(self, id: str, lobby: str, by_cell: Sequence[tuple[Any, ShownBot]]) -> None:
        self._id = id
        self._lobby = lobby
        self._by_cell = by_cell

    @property
    def id(self) -> str:
        """Its member id."""
        return self._id

    @property
    def is_disclosed(self) -> bool:
        """Whether all of them are shown as assistants."""
        return all(bot.is_disclosed for _, bot in self._by_cell)

    @property
    def moments(self) -> Sequence[Moment]:
        """The moments of rooms' times at which one of them may write."""
        return [*dict.fromkeys(moment for _, bot in self._by_cell for moment in bot.moments)]

    def moments_in(self, state: RoomState) -> Sequence[Moment]:
        """Those in a room; none where there is no such bot."""
        bot = self._bot_in(state)
        return () if bot is None else bot.moments_in(state)

    def is_in(self, state: RoomState) -> bool:
        """Whether one of them takes part in a room."""
        bot = self._bot_in(state)
        return bot is not None and bot.is_in(state)

    def described(self, *, with_clients: bool) -> list[dict[str, Any]]:
        """What they are, as JSON values; each with its condition, None: all."""
        return [
            {"lobby": self._lobby, "condition": None if cell is ALL else cell, **each}
            for cell, bot in self._by_cell
            for each in bot.described(with_clients=with_clients)
        ]

    async def enter(self, room: Room) -> object:
        """Join a room, if it is of a group that has this bot."""
        bot = self._bot_in(await room.state())
        return None if bot is None else await bot.enter(room)

    async def skip(
        self, room: Room, messages: Sequence[Complete], state: RoomState | None
    ) -> Skipped:
        """Decide to how many messages it does not react: to all where it is not."""
        bot = self._bot_in(await room.state() if state is None else state)
        if bot is None:
            return Skipped(len(messages), _nothing)
        return await bot.skip(room, messages, state)

    async def react(self, room: Room, message: Message) -> None:
        """React to a message, where it is."""
        bot = self._bot_in(await room.state())
        if bot is not None:
            await bot.react(room, message)

    async def act(self, room: Room, trigger: Event) -> None:
        """Write a message, as a moment has come or the app asks, where it is."""
        bot = self._bot_in(await room.state())
        if bot is not None:
            await bot.act(room, trigger)

    def _bot_in(self, state: RoomState) -> ShownBot | None:
        if state.lobby != self._lobby:
            return None
        bots = (bot for cell, bot in self._by_cell if cell is ALL or cell == state.condition)
        return next(bots, None)


ALL = object()
"""Stands for all conditions."""


def group_bots(lobby: str, bots: object, cells: Sequence[Cell] | None) -> list[GroupBot]:
    """
    Check the argument `bots` of a lobby; return the bots, by their ids.

    Parameters
    ----------
    lobby
        The lobby's id.
    bots
        A list of bots; lists by condition; or a function of the condition that returns a list.
    cells
        The conditions that groups may have; None: the app says so when a group is formed.
    """
    by_id: dict[str, list[tuple[Any, ShownBot]]] = {}
    for cell, bot in _each(bots, cells):
        by_id.setdefault(bot.id, []).append((cell, bot))
    return [GroupBot(id, lobby, some) for id, some in by_id.items()]


def _each(bots: object, cells: Sequence[Cell] | None) -> Iterator[tuple[Any, ShownBot]]:
    if isinstance(bots, Mapping):
        by_condition = cast("Mapping[Any, Any]", bots)
        for condition, some in by_condition.items():
            if cells is None or condition not in cells:
                known = ", ".join(map(repr, cells or ())) or "none"
                raise ValueError(
                    f"bots has the condition {condition!r}, but the lobby's conditions are {known}"
                )
            yield from ((condition, bot) for bot in _checked(some))
    elif callable(bots):
        check_function("bots", bots, "condition")
        if cells is None:
            raise ValueError(
                "bots cannot be a function where conditions is one, as bots must be known before: "
                "give a list"
            )
        made = cast("Callable[[Any], Any]", bots)
        for cell in cells:
            yield from ((cell, bot) for bot in _checked(made(cell)))
    else:
        yield from ((ALL, bot) for bot in _checked(bots))


def _checked(bots: object) -> Sequence[ShownBot]:
    if isinstance(bots, str) or not isinstance(bots, Sequence):
        raise TypeError(f"bots must be a list of bots, such as [Bot('helper', ...)], not {bots!r}")
    for bot in cast("Sequence[object]", bots):
        if not hasattr(bot, "enter") or not isinstance(getattr(bot, "id", None), str):
            raise TypeError(f"bots must have bots, such as Bot('helper', ...), not {bot!r}")
    return cast("Sequence[ShownBot]", bots)


def _nothing(conn: sa.Connection, now: int) -> None: ...
