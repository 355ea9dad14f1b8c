"""The bots of a lobby's groups: their members, and those that take places in them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Protocol, Self, cast

import sqlalchemy as sa

from shiny_labchat.arguments import check_function
from shiny_labchat.callbacks.skipping import Complete, Skipped
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.grouping import Cell
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.replacing import ids_of_places
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import Moment
from shiny_labchat.lab.bot_registry import RoomBot
from shiny_labchat.lab.room import Room

__all__ = [
    "GroupBot",
    "ShownBot",
    "by_condition",
    "group_bots",
    "replacing_bots",
    "stand_ins_by_condition",
]


class ShownBot(RoomBot, Protocol):
    """A bot, and how it is shown."""

    @property
    def is_disclosed(self) -> bool:
        """Whether it is shown as an assistant."""
        ...

    def as_member(self, id: str) -> Self:
        """The same bot with another member id."""
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
        The conditions and their bots that are members of every group; a condition that is `ALL`
        stands for all.
    stand_ins
        The same for those that fill empty places: they are in groups that were formed with them.
    replacing
        The bot that goes on as this member in the place of somebody; None: none does.
    is_further
        Whether that bot has another id in the first place that it takes.
    """

    def __init__(
        self,
        id: str,
        lobby: str,
        by_cell: Sequence[tuple[Any, ShownBot]] = (),
        stand_ins: Sequence[tuple[Any, ShownBot]] = (),
        replacing: ShownBot | None = None,
        is_further: bool = False,
    ) -> None:
        self._id = id
        self._lobby = lobby
        self._by_cell = by_cell
        self._stand_ins = stand_ins
        self._replacing = replacing
        self._is_further = is_further

    @property
    def id(self) -> str:
        """Its member id."""
        return self._id

    @property
    def is_disclosed(self) -> bool:
        """Whether all of them are shown as assistants."""
        some = (*self._by_cell, *self._stand_ins)
        return self._replacing is None and all(bot.is_disclosed for _, bot in some)

    @property
    def moments(self) -> Sequence[Moment]:
        """The moments of rooms' times at which one of them may write."""
        some = (*self._by_cell, *self._stand_ins)
        return [*dict.fromkeys(moment for _, bot in some for moment in bot.moments)]

    def moments_in(self, state: RoomState) -> Sequence[Moment]:
        """Those in a room; none where there is no such bot, or where it is in somebody's place."""
        bot, membership = self._bot_in(state), state.memberships.get(self._id)
        goes_on = membership is not None and membership.replaces is not None
        return () if bot is None or goes_on else bot.moments_in(state)

    def is_in(self, state: RoomState) -> bool:
        """Whether one of them takes part in a room."""
        bot = self._bot_in(state)
        return bot is not None and bot.is_in(state)

    def described(self, *, with_clients: bool) -> list[dict[str, Any]]:
        """What they are, as JSON values; each with its condition, None: all."""
        replacing: list[tuple[Any, ShownBot]] = []
        if self._replacing is not None and not self._is_further:
            replacing.append((ALL, self._replacing))
        ways: Sequence[tuple[Mapping[str, bool], Sequence[tuple[Any, ShownBot]]]] = (
            ({}, self._by_cell),
            ({"stands_in": True}, self._stand_ins),
            ({"replaces": True}, replacing),
        )
        return [
            {"lobby": self._lobby, "condition": None if cell is ALL else cell, **way, **each}
            for way, some in ways
            for cell, bot in some
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
        """React to a message, where it is; in the place of somebody, once it is seen there."""
        state = await room.state()
        bot = self._bot_in(state)
        if bot is None:
            return
        await self._is_seen(state)
        await bot.react(room, message)

    async def act(self, room: Room, trigger: Event) -> None:
        """Write a message, as a moment has come or the app asks, where it is; as `react`."""
        state = await room.state()
        bot = self._bot_in(state)
        if bot is not None:
            await self._is_seen(state)
            await bot.act(room, trigger)

    async def _is_seen(self, state: RoomState) -> None:
        """Wait until it is seen in the place of somebody, if it is in one."""
        membership = state.membership(self._id)
        if membership is not None and membership.returns:
            await asyncio.sleep(max(0.0, membership.returns / 1e6 - time.time()))

    def _bot_in(self, state: RoomState) -> ShownBot | None:
        if state.lobby != self._lobby:
            return None
        membership = state.memberships.get(self._id)
        if membership is not None and membership.replaces is not None:
            return self._replacing
        some = [*self._by_cell, *(self._stand_ins if self._id in state.stand_ins else ())]
        bots = (bot for cell, bot in some if cell is ALL or cell == state.condition)
        return next(bots, None)


ALL = object()
"""Stands for all conditions."""


def group_bots(
    lobby: str,
    bots: Sequence[tuple[Any, ShownBot]],
    stand_ins: Sequence[tuple[Any, ShownBot]] = (),
    replacing: Mapping[str, ShownBot] = MappingProxyType({}),
) -> list[GroupBot]:
    """
    All bots of a lobby's groups, by their ids.

    Parameters
    ----------
    lobby
        The lobby's id.
    bots, stand_ins
        Those that are members of every group, and those that fill empty places, see `by_condition`.
    replacing
        Those that go on in the places of others, see `replacing_bots`.
    """
    ids = dict.fromkeys([*(bot.id for _, bot in (*bots, *stand_ins)), *replacing])
    further = [*replacing][1:]
    return [
        GroupBot(
            *(id, lobby, _with_id(id, bots), _with_id(id, stand_ins)),
            *(replacing.get(id), id in further),
        )
        for id in ids
    ]


def _with_id(id: str, some: Sequence[tuple[Any, ShownBot]]) -> list[tuple[Any, ShownBot]]:
    return [(cell, bot) for cell, bot in some if bot.id == id]


def replacing_bots(bot: ShownBot, largest: int) -> dict[str, ShownBot]:
    """
    A bot that takes the places of others, by the member ids that it may have in a room.

    Parameters
    ----------
    bot
        The bot.
    largest
        How many people a group has at most.
    """
    if bot.is_disclosed:
        raise ValueError(
            f"on_gone is {bot!r}, which is disclosed, but a bot that goes on in the place of a "
            "person is shown as that person: leave out disclose=True"
        )
    return {id: bot.as_member(id) for id in ids_of_places(bot.id, largest)}


def by_condition(
    what: str, bots: object, cells: Sequence[Cell] | None
) -> list[tuple[Any, ShownBot]]:
    """
    Check an argument of a lobby that has bots; return them with their conditions, `ALL`: any.

    Parameters
    ----------
    what
        The argument's name.
    bots
        A list of bots; lists by condition; or a function of the condition that returns a list.
    cells
        The conditions that groups may have; None: the app says so when a group is formed.
    """
    return [*_each(what, bots, cells)]


def stand_ins_by_condition(
    members: Sequence[tuple[Any, ShownBot]], stand_ins: Sequence[tuple[Any, ShownBot]]
) -> list[list[Any]]:
    """
    The ids of those that fill empty places as a lobby's log has them: conditions, each with them.

    Condition None stands for all. An id that is there twice is an error: a group has it once.
    """
    found: list[list[Any]] = []
    for cell, bot in stand_ins:
        where = None if cell is ALL else cell
        ids = next((ids for known, ids in found if known == where), None)
        if ids is None:
            found.append([where, ids := []])
        if bot.id in ids or any(bot.id == other.id for _, other in members):
            raise ValueError(
                f"stand_ins has {bot.id!r}, which a group would have twice: give each of bots and "
                "stand_ins an id of its own"
            )
        ids.append(bot.id)
    return found


def _each(what: str, bots: object, cells: Sequence[Cell] | None) -> Iterator[tuple[Any, ShownBot]]:
    if isinstance(bots, Mapping):
        given = cast("Mapping[Any, Any]", bots)
        for condition, some in given.items():
            if cells is None or condition not in cells:
                known = ", ".join(map(repr, cells or ())) or "none"
                raise ValueError(
                    f"{what} has the condition {condition!r}, but the lobby's conditions are "
                    f"{known}"
                )
            yield from ((condition, bot) for bot in _checked(what, some))
    elif callable(bots):
        check_function(what, bots, "condition")
        if cells is None:
            raise ValueError(
                f"{what} cannot be a function where conditions is one, as bots must be known "
                "before: give a list"
            )
        made = cast("Callable[[Any], Any]", bots)
        for cell in cells:
            yield from ((cell, bot) for bot in _checked(what, made(cell)))
    else:
        yield from ((ALL, bot) for bot in _checked(what, bots))


def _checked(what: str, bots: object) -> Sequence[ShownBot]:
    if isinstance(bots, str) or not isinstance(bots, Sequence):
        raise TypeError(
            f"{what} must be a list of bots, such as [Bot('helper', ...)], not {bots!r}"
        )
    for bot in cast("Sequence[object]", bots):
        if not hasattr(bot, "enter") or not isinstance(getattr(bot, "id", None), str):
            raise TypeError(f"{what} must have bots, such as Bot('helper', ...), not {bot!r}")
    return cast("Sequence[ShownBot]", bots)


def _nothing(conn: sa.Connection, now: int) -> None: ...
