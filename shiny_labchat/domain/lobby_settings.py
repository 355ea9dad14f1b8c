"""The settings of a lobby, with what they are where the app does not say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.grouping import (
    Avoid,
    Balance,
    Cell,
    GroupSize,
    Pick,
    Rematch,
    Short,
    cells,
    group_sizes,
    sizes_in_round,
    smallest,
)
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.settings import Settings

__all__ = ["BY_APP", "LobbySettings"]

BY_APP = "app"
"""Stands in the log for a function of the app's, which proposes."""


class LobbySettings(NamedTuple):
    """
    The settings of a lobby; times are in seconds. See `Lobby` for what they mean.

    Those that the app gives as functions are `BY_APP`.
    """

    group_size: Sequence[int] = (2, 2, 2)
    settle: float = 20
    pick: str = "arrival"
    batch: int | None = None
    opens: int | None = None
    capacity: int | None = None
    start: str = "auto"
    conditions: Any = None
    balance: str = "block"
    parts: Mapping[str, int] | None = None
    avoid: str | None = "prefer"
    max_wait: float = 300
    extends: int = 1
    extend: float = 120
    on_timeout: Sequence[str] = ("leave",)
    ready: float | None = 15
    alive: float = 10
    grace: float = 60
    idle_prompt: Sequence[float] | None = (120, 15)
    rooms: str | None = None
    names: str = "room"
    network: Any = "full"
    title: str | None = None
    stand_ins: Sequence[Sequence[Any]] = ()
    """The bots that fill empty places: conditions, each with their ids; None: any condition."""
    rules: Mapping[str, Any] | None = None
    sound: bool = True
    blink_title: bool = True
    show_count: bool = True
    show_wait: bool = True
    cohort: int | None = None
    rounds: int = 1
    rematch: str = "partners"
    next_on: str | None = None
    within: float = 120
    short: str = "smaller"

    @classmethod
    def of(cls, settings: Settings) -> LobbySettings:
        """The settings in a lobby's log; what a newer version has added is left out."""
        known = {name: settings.now[name] for name in cls._fields if name in settings.now}
        return cls(**known)

    @property
    def size(self) -> GroupSize:
        """The sizes that groups may have."""
        return GroupSize(*self.group_size)

    @property
    def matched(self) -> GroupSize:
        """How many people are brought together at once: a group, or the cohort of several."""
        return self.size if self.cohort is None else GroupSize(*(self.cohort,) * 3)

    def most_of(self, people: int) -> int:
        """How many of so many people can be brought together at once, if they are too few."""
        if self.cohort is None:
            return self.size.max
        if self.rematch == "perfect":  # fewer people would have fewer rounds
            return self.cohort if people >= self.cohort else 0
        return sum(sizes_in_round(min(people, self.cohort), self.size, self.least))

    @property
    def has_cohorts(self) -> bool:
        """Whether people stay together for rounds, or several groups are formed at once."""
        return self.cohort is not None or self.rounds > 1

    @property
    def shorts(self) -> Short:
        """What becomes of the others of a group where somebody is gone."""
        return cast(Short, self.short)

    @property
    def rematches(self) -> Rematch:
        """Who is with whom from round to round; where the app proposes it, as if it did not."""
        return cast(Rematch, "strangers" if self.rematch == BY_APP else self.rematch)

    @property
    def talk(self) -> int:
        """For how long the people of a group may talk before its time is over, in microseconds."""
        rules = Rules(**self.rules) if self.rules else Rules()
        return 0 if rules.duration is None else round((rules.duration + rules.start_within) * 1e6)

    @property
    def size_in_rounds(self) -> GroupSize:
        """The sizes that groups may have in rounds, in which some may be gone."""
        return self.size._replace(min=self.least)

    @property
    def least(self) -> int:
        """How many people are a group at least, where some are gone."""
        return smallest(self.size, self.shorts, sum((self.parts or {}).values()), self.fills)

    @property
    def cells(self) -> list[Cell]:
        """The conditions that groups may have; None alone, where the app proposes any."""
        return cells(None if self.conditions == BY_APP else self.conditions)

    @property
    def asks_cells(self) -> bool:
        """Whether the app proposes the condition of each group."""
        return BY_APP in (self.balance, self.conditions)

    @property
    def asks(self) -> bool:
        """Whether the app proposes anything of those who are matched already."""
        return self.asks_cells or self.rematch == BY_APP

    @property
    def avoids(self) -> Avoid:
        """Whether people who have met are put together."""
        return cast(Avoid, self.avoid)

    @property
    def picks(self) -> Pick:
        """Who is grouped first; not asked for where the app proposes it."""
        return cast(Pick, self.pick)

    @property
    def draws(self) -> Balance:
        """How conditions are drawn; where the app proposes them, as if it did not."""
        return cast(Balance, "block" if self.balance == BY_APP else self.balance)

    @property
    def fills(self) -> int:
        """How many empty places of a group can be filled, whatever its condition."""
        return min((len(self.stand_ins_in(cell)) for cell in self.cells), default=0)

    def stand_ins_in(self, cell: Cell) -> Sequence[str]:
        """The ids of the bots that fill empty places of groups in a condition."""
        found = (ids for where, ids in self.stand_ins if where is None or where == cell)
        return next(found, ())

    def deadline(self, since: int, extended: int = 0) -> int:
        """
        Until when somebody waits at most who has come at a time, in microseconds (UTC).

        `extended`: how often they have chosen to wait longer.
        """
        longest = self.max_wait + extended * self.extend
        return max(since, self.opens or 0) + round(longest * 1e6)

    def room(self, lobby: str, number: int, cohort: int = 0, round: int = 0, group: int = 0) -> str:
        """
        The id of the room of a group.

        Parameters
        ----------
        lobby, number
            The lobby, and the number of the group in it.
        cohort, round
            The numbers of its cohort and of the round; 0: it has none.
        group
            The number of the group in its round, from 1.
        """
        numbers = {"n": number, "cohort": cohort, "round": round, "group": group}
        return self.template.format(lobby=lobby, **numbers)

    @property
    def template(self) -> str:
        """From what the ids of rooms are made, see `room`."""
        if self.rooms is not None or not self.has_cohorts:
            return self.rooms or "{lobby}-{n}"
        return "{lobby}-c{cohort}-r{round}" + "-{group}" * self._may_be_several

    @property
    def _may_be_several(self) -> bool:
        """Whether a cohort may have several groups in a round."""
        if self.cohort is None:
            return False
        return self.rematch == BY_APP or len(group_sizes(self.cohort, self.size, "spread")) > 1
