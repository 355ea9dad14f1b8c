"""What the facets of a room have of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable
from typing import TypeVar

from shiny_labchat.domain import commands
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store import Log, Outcome

__all__ = ["RoomFacet"]

T = TypeVar("T")


class RoomFacet(ABC):
    """A facet of :class:`Room`; its attributes are described there."""

    log: Log
    key: LogKey

    @abstractmethod
    async def submit(self, command: commands.Command) -> Outcome:
        """Submit a command to the room."""
        ...

    @abstractmethod
    async def once_created(self, submit: Callable[[], Awaitable[T]]) -> T:
        """Submit a command to the room, creating it if needed."""
        ...

    @abstractmethod
    async def state(self) -> RoomState:
        """The state of the room in its log now."""
        ...
