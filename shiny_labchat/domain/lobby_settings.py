"""The settings of a lobby, with what they are where the app does not say. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, cast

from shiny_labchat.domain.grouping import Avoid, Balance, Cell, GroupSize, Pick, cells
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
    rules: Mapping[str, Any] | None = None
    sound: bool = True
    blink_title: bool = True
    show_count: bool = True
    show_wait: bool = True

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
    def cells(self) -> list[Cell]:
        """The conditions that groups may have; None alone, where the app proposes any."""
        return cells(None if self.conditions == BY_APP else self.conditions)

    @property
    def asks_cells(self) -> bool:
        """Whether the app proposes the condition of each group."""
        return BY_APP in (self.balance, self.conditions)

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

    def deadline(self, since: int, extended: int = 0) -> int:
        """
        Until when somebody waits at most who has come at a time, in microseconds (UTC).

        `extended`: how often they have chosen to wait longer.
        """
        longest = self.max_wait + extended * self.extend
        return max(since, self.opens or 0) + round(longest * 1e6)

    def room(self, lobby: str, number: int) -> str:
        """The id of the room of a group."""
        return (self.rooms or "{lobby}-{n}").format(lobby=lobby, n=number)
