"""Which callbacks there are, by name and rooms, and which of them is for a room."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shiny_labchat.concurrency import name_of
from shiny_labchat.domain.events import RoomKey
from shiny_labchat.domain.scope import Scope

__all__ = ["Callback", "Registry", "own_name"]

logger = logging.getLogger("shiny_labchat")


@dataclass(slots=True)
class Callback:
    """
    A registered function.

    Attributes
    ----------
    number
        How many there were before it.
    since
        See `callbacks.Cursor`; None: the database does not know of it yet.
    """

    name: str
    scope: Scope
    fn: Callable[..., Any]
    number: int
    since: int | None = None


class Registry:
    """The callbacks of one log. None ever goes; any thread may add some."""

    def __init__(self) -> None:
        self._all: dict[tuple[str, Scope], Callback] = {}
        # By the ids of their rooms: a message should not cost what other rooms' callbacks are.
        self._of_ids: dict[str, list[Callback]] = {}
        self._of_globs: list[Callback] = []

    def add(self, name: str, scope: Scope, fn: Callable[..., Any]) -> Callback | None:
        """A new callback; None: one of the same name, for the same rooms, has this function now."""
        known = self._all.get((name, scope))
        if known is not None:
            _warn_of_namesake(known.fn, fn, name)
            known.fn = fn
            return None
        callback = self._all[name, scope] = Callback(name, scope, fn, len(self._all))
        ids = scope.ids
        homes = [self._of_ids.setdefault(id, []) for id in ids] if ids else [self._of_globs]
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

    def of_room(self, room: RoomKey) -> dict[str, Callback]:
        """Those of a room, by name: of several the one for this room alone, else the latest."""
        found = [*self._of_globs, *self._of_ids.get(room.id, ())]
        found.sort(key=lambda each: (each.scope.room is not None, each.number))
        return {each.name: each for each in found if each.scope.covers(room)}


def own_name(fn: Callable[..., Any]) -> str:
    """What a function is known by that was given no name: its script, and its qualified name."""
    inner = inspect.unwrap(fn)
    code = getattr(inner, "__code__", None)
    if code is None:
        raise ValueError(f"name: {fn!r} has none of its own; give it one")
    path = Path(code.co_filename).resolve()
    return f"{path.parent.name}/{path.name}:{inner.__qualname__}"


def _warn_of_namesake(
    known: Callable[..., Any], fn: Callable[..., Any], name: str, where: str = ""
) -> None:
    if name_of(known) != name_of(fn):
        logger.warning(
            "the callback %s takes the place of %s %sas both are called %r; "
            "give each a name=, if that is not meant",
            *(name_of(fn), name_of(known), where, name),
        )
