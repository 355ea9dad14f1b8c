"""The facet of a lab that has functions called at moments of rooms' times."""

from __future__ import annotations

import inspect
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from shiny_labchat.arguments import as_id, check_function, check_number
from shiny_labchat.callbacks.kinds import TRIGGERS, Step
from shiny_labchat.callbacks.registry import Timetable, own_name
from shiny_labchat.concurrency import in_thread
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import Moment
from shiny_labchat.lab.room import Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Log

__all__ = ["AtMoments", "MomentFunction"]

MomentFunction = Callable[[Room], Awaitable[object] | object]
"""Takes the room; async or not."""
M = TypeVar("M", bound=MomentFunction)


class AtMoments(ABC):
    """A facet of :class:`Lab`; its attributes are described there."""

    _log: Log

    @abstractmethod
    def _scope(self, rooms: object) -> Scope: ...

    @abstractmethod
    def _given(self, room: LogKey, to: str) -> Room: ...

    def at(
        self,
        rooms: str | Room | Sequence[str | Room] = "*",
        *,
        after: float | None = None,
        before_close: float | None = None,
        name: str | None = None,
    ) -> Callable[[M], M]:
        """
        Have a function called at a moment of some rooms' time; a decorator.

        Parameters
        ----------
        rooms
            As in :meth:`on_message`.
        after
            So many seconds after the time of the room's people has started: see `Rules.starts`.
            Time in which it stood still does not count. In a room whose rules have no time that
            starts, after people could use it: from when it was made, or shown to its group.
        before_close
            So many seconds before the time of the room's people is over, wherever that end has
            moved by then. Never, in a room without an end.
        name
            As in :meth:`on_message`. A function may be called at several moments.

        Returns
        -------
        callable
            The decorator: takes ``fn(room)``, async or not, and returns it.

        Raises
        ------
        ValueError
            Not exactly one of `after` and `before_close` is given, one is negative, a room's id is
            not valid, or the function has no name of its own.
        TypeError
            `rooms` are not rooms, or the function has other parameters.

        Notes
        -----
        No page needs to be open. The moment is in the room's log (kind "triggered"), and the
        function is called once for it, in one of the processes that serve this database; if no
        process was there at that moment, once there is one. It is not called in a room that was
        closed before, nor for moments that were over when the app got the function.

        If its process dies meanwhile, or the function raises, it is called again, as a function of
        :meth:`on_message` is. What it posts through `room` is there once all the same.
        """
        moment, scope = _moment(after, before_close), self._scope(rooms)

        def register(fn: M) -> M:
            check_function("fn", fn, "room")
            own = own_name(fn) if name is None else as_id("name", name)
            call = _Call(fn, f"{own} {moment.name}")
            options: dict[str, Any] = {"kind": TRIGGERS, "timetable": _always(moment)}
            Runtime.of(self._log).register(scope, call, call.name, self._given, **options)
            return fn

        return register


def _moment(after: float | None, before_close: float | None) -> Moment:
    if (after is None) == (before_close is None):
        raise ValueError("give either after=, or before_close=, in seconds, and not both")
    check_number("after", after, least=0, or_none=True)
    check_number("before_close", before_close, least=0, or_none=True)
    return Moment(after, before_close)


def _always(moment: Moment) -> Timetable:
    """The same moment in all rooms."""

    def of(state: RoomState) -> Sequence[Moment]:
        return (moment,)

    return Timetable((moment,), of)


def _takes(room: Room, member: Member | None, step: Step) -> None:
    """What callbacks of this kind take."""


class _Call:
    """
    Calls a function of the app's at a moment.

    Parameters
    ----------
    fn
        The function.
    name
        Its name, and that of the moment.
    """

    __signature__ = inspect.signature(_takes)

    def __init__(self, fn: MomentFunction, name: str) -> None:
        self.__wrapped__ = fn  # by this the server's log names the app's function
        self.__qualname__ = getattr(fn, "__qualname__", name)
        self.name = name

    async def __call__(self, room: Room, member: Member | None, step: Step) -> None:
        fn: Any = self.__wrapped__
        given = room.for_call(self.name).in_condition((await room.state()).condition)
        if inspect.iscoroutinefunction(fn) or inspect.iscoroutinefunction(type(fn).__call__):
            await fn(given)
            return
        result = await in_thread(fn, given)
        if inspect.isawaitable(result):
            await result
