"""The registered callbacks, by name and rooms."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from shiny_labchat.callbacks.kinds import MESSAGES, Kind
from shiny_labchat.callbacks.skipping import Skip
from shiny_labchat.concurrency import name_of
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.triggers import Moment

__all__ = ["Callback", "Registered", "Registry", "Timetable", "own_name"]

logger = logging.getLogger("shiny_labchat")

REGISTERED = 10_000
"""Callbacks of one process above which the log warns, as they are never removed."""


class Timetable(NamedTuple):
    """
    The moments of rooms' times at which a callback is called.

    Parameters
    ----------
    moments
        All of them.
    of
        Gives those of a room, by its state.
    """

    moments: Sequence[Moment]
    of: Callable[[RoomState], Sequence[Moment]]


class Registered(NamedTuple):
    """
    When a callback, or one of its moments, was first registered in the database.

    Parameters
    ----------
    since
        The newest room then, see `Cursor`.
    at
        In microseconds since 1970 (UTC); 0: that is not known.
    """

    since: int
    at: int


@dataclass(slots=True)
class Callback:
    """
    A registered function.

    Attributes
    ----------
    skip
        Decides for which messages it is not called; None: it is called for all.
    number
        How many callbacks were registered before it.
    since
        See `callbacks.Cursor`; None: it is not registered in the database yet.
    kind
        What it is called with.
    timetable
        The moments at which it is called; None: there are none.
    times
        By the name of each moment, when it was first registered; filled with `since`.
    """

    name: str
    scope: Scope
    fn: Callable[..., Any]
    skip: Skip | None
    number: int
    since: int | None = None
    kind: Kind = MESSAGES
    timetable: Timetable | None = None
    times: dict[str, Registered] = field(default_factory=dict[str, Registered])

    @property
    def has_new_moments(self) -> bool:
        """Whether it is called at moments that are not registered yet."""
        moments = () if self.timetable is None else self.timetable.moments
        return any(moment.name not in self.times for moment in moments)


class Registry:
    """The callbacks of one log. They are never removed; any thread may add some."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, Scope], Callback] = {}
        # By the ids of their rooms: the callbacks of other rooms must not slow a message down.
        self._of_ids: dict[str, list[Callback]] = {}
        self._of_globs: list[Callback] = []
        self._kinds: set[str] = set()

    def add(
        self,
        name: str,
        scope: Scope,
        fn: Callable[..., Any],
        skip: Skip | None = None,
        kind: Kind = MESSAGES,
        timetable: Timetable | None = None,
    ) -> Callback | None:
        """
        Add a callback; return it if it has to be registered in the database.

        None: one with this name and these rooms is registered, and has the new function now.
        """
        known = self._all.get((name, scope))
        if known is not None:
            _warn_of_namesake(known.fn, fn, name)
            known.fn, known.skip, known.timetable = fn, skip, timetable
            return known if known.has_new_moments else None
        number = len(self._all)
        callback = Callback(name, scope, fn, skip, number, kind=kind, timetable=timetable)
        self._all[name, scope] = callback
        self._kinds.add(kind.word)
        ids = scope.ids
        homes = [self._of_ids.setdefault(id, []) for id in ids] if ids else [self._of_globs]
        if len(self._all) == REGISTERED:
            logger.warning(
                "%d callbacks are registered, and each stays in memory; register one for all such "
                'rooms instead, as in @lab.on_message("group-*")',
                REGISTERED,
            )
        if scope.room is None:
            self._warn_of_namesakes(callback, homes)
        for home in homes:
            home.append(callback)
        return callback

    def _warn_of_namesakes(self, new: Callback, homes: Sequence[list[Callback]]) -> None:
        for each in {id(each): each for home in (self._of_globs, *homes) for each in home}.values():
            if each.name == new.name and each.scope.room is None:
                _warn_of_namesake(each.fn, new.fn, new.name, "in rooms that both are for ")

    def __iter__(self) -> Iterator[Callback]:
        return iter(tuple(self._all.values()))  # other threads may register meanwhile

    def has(self, kind: Kind, room: LogKey) -> bool:
        """Whether a room has a callback that is called with these."""
        if kind.word not in self._kinds:
            return False
        some = (*self._of_globs, *self._of_ids.get(room.id, ()))
        return any(each.kind is kind and each.scope.covers(room) for each in some)

    def of_room(self, room: LogKey) -> dict[str, Callback]:
        """A log's callbacks by name: of several, the one for this room alone, else the latest."""
        found = [*self._of_globs, *self._of_ids.get(room.id, ())]
        found.sort(key=lambda each: (each.scope.room is not None, each.number))
        own = (each for each in found if each.kind.log == room.kind)
        return {each.name: each for each in own if each.scope.covers(room)}


def own_name(fn: Callable[..., Any]) -> str:
    """The default name of a function: its script and its qualified name."""
    inner = inspect.unwrap(fn)
    code = getattr(inner, "__code__", None)
    if code is None:
        raise ValueError(f"name must be given: {fn!r} has no name of its own")
    path = Path(code.co_filename).resolve()
    return f"{path.parent.name}/{path.name}:{inner.__qualname__}"


def _warn_of_namesake(
    known: Callable[..., Any], fn: Callable[..., Any], name: str, where: str = ""
) -> None:
    if name_of(known) != name_of(fn):
        logger.warning(
            "the callback %s takes the place of %s %sas both have the name %r; "
            "if you need both, give each its own name=",
            *(name_of(fn), name_of(known), where, name),
        )
