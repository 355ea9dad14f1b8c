"""The registered callbacks, by name and rooms."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from shiny_labchat.callbacks.kinds import MESSAGES, Kind
from shiny_labchat.callbacks.skipping import Skip
from shiny_labchat.concurrency import name_of
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.scope import Scope

__all__ = ["Callback", "Registry", "own_name"]

logger = logging.getLogger("shiny_labchat")

REGISTERED = 10_000
"""Callbacks of one process above which the log warns, as they are never removed."""


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
    """

    name: str
    scope: Scope
    fn: Callable[..., Any]
    skip: Skip | None
    number: int
    since: int | None = None
    kind: Kind = MESSAGES


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
    ) -> Callback | None:
        """Add a callback; None: one with this name and these rooms has the new function now."""
        known = self._all.get((name, scope))
        if known is not None:
            _warn_of_namesake(known.fn, fn, name)
            known.fn, known.skip = fn, skip
            return None
        callback = Callback(name, scope, fn, skip, len(self._all), kind=kind)
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
