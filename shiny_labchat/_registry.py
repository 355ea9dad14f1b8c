"""Which callbacks there are, by name and rooms, and which of them is for a room."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shiny_labchat._blocking import name_of
from shiny_labchat._domain import RoomKey
from shiny_labchat._scope import Scope

__all__ = ["Callback", "Registry", "own_name"]

logger = logging.getLogger("shiny_labchat")


@dataclass(slots=True)
class Callback:
    """
    A registered function.

    Attributes
    ----------
    since
        See `callbacks.Place`; None: the database does not know of it yet.
    """

    name: str
    scope: Scope
    fn: Callable[..., Any]
    since: int | None = None


class Registry:
    """The callbacks of one log. None ever goes; any thread may add some."""

    def __init__(self) -> None:
        self._general: dict[tuple[str, Scope], Callback] = {}
        self._of_rooms: dict[RoomKey, dict[tuple[str, Scope], Callback]] = {}

    def add(self, name: str, scope: Scope, fn: Callable[..., Any]) -> Callback | None:
        """A new callback; None: one of the same name, for the same rooms, has this function now."""
        only = scope.room
        named = self._general if only is None else self._of_rooms.setdefault(only, {})
        known = named.get((name, scope))
        if known is not None:
            _warn_of_namesake(known.fn, fn, name)
            known.fn = fn
            return None
        for other in tuple(named.values()):
            if other.name == name:
                _warn_of_namesake(other.fn, fn, name, "in rooms that both are for ")
        callback = named[name, scope] = Callback(name, scope, fn)
        return callback

    def __iter__(self) -> Iterator[Callback]:
        for named in (self._general, *tuple(self._of_rooms.values())):
            yield from tuple(named.values())  # other threads may register meanwhile

    def of_room(self, room: RoomKey) -> dict[str, Callback]:
        """Those of a room, by name: of several the one for this room alone, else the latest."""
        found = *tuple(self._general.values()), *tuple(self._of_rooms.get(room, {}).values())
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
