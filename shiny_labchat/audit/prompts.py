"""
What bots were told, each thing written down once.

Each call tells a model the whole conversation again. An entry of the audit has only what is new
in it, and names an earlier entry of the same bot, room and client that has the rest; so the record
of a conversation is as long as the conversation, not as its square.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

import orjson

from shiny_labchat.store.log import Log

__all__ = ["Base", "Prompt", "Told", "joined", "told_of"]

TURNS_CACHED = 250_000
"""How many turns and messages of prompts are remembered, to find what is new in the next."""


class Base(NamedTuple):
    """An entry of the audit: its key, and when it was written, in microseconds."""

    entry: int
    at: int


class Prompt(NamedTuple):
    """
    A prompt as it is written down: where it goes on from, and what is new.

    Parameters
    ----------
    whole
        All of it: turns as JSON values, or messages.
    base
        The entry that it goes on from; None: it stands alone.
    kept
        So many of the base's first turns come first in it, too.
    within
        And of the turn after these so many contents; not 0: the first of `new` has the others.
    """

    whole: Sequence[Any]
    base: Base | None = None
    kept: int = 0
    within: int = 0

    @property
    def new(self) -> Sequence[Any]:
        """What the base has not."""
        if not self.within:
            return self.whole[self.kept :]
        turn, *others = self.whole[self.kept :]
        return [{**turn, "contents": turn["contents"][self.within :]}, *others]


def joined(
    base: Sequence[Mapping[str, Any]], kept: int, within: int, new: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """The whole prompt again, see `Prompt`; what its base has of it is shared."""
    if not within:
        return [*base[:kept], *new]
    turn, *others = new
    contents = [*base[kept]["contents"][:within], *turn["contents"]]
    return [*base[:kept], {**turn, "contents": contents}, *others]


class Told:
    """
    The newest prompts, to tell what is new in the next ones.

    Those that were not used for long are forgotten; the next one stands alone then.

    Parameters
    ----------
    most
        How many turns and messages are remembered in all.
    """

    def __init__(self, most: int = TURNS_CACHED) -> None:
        self._most = most
        self._size = 0
        self._known: OrderedDict[Hashable, tuple[Base, Sequence[Any]]] = OrderedDict()
        self._lock = threading.Lock()

    def prompt(self, whose: Hashable, whole: Sequence[Any]) -> Prompt:
        """A prompt as it is to be written down; each `whose` goes on from its own."""
        with self._lock:
            known = self._known.get(whose)
        if known is None:
            return Prompt(whole)
        base, before = known
        kept = _common(before, whole)
        within = 0
        if kept < min(len(before), len(whole)):
            within = _common(_contents(before[kept]), _contents(whole[kept]))
        return Prompt(whole, base, kept, within) if kept or within else Prompt(whole)

    def remember(self, whose: Hashable, base: Base, whole: Sequence[Any]) -> None:
        """What an entry says that is stored."""
        with self._lock:
            if whose in self._known:
                self._size -= len(self._known.pop(whose)[1])
            self._known[whose] = base, whole
            self._size += len(whole)
            while self._size > self._most:
                _, (_, forgotten) = self._known.popitem(last=False)
                self._size -= len(forgotten)


def told_of(log: Log) -> Told:
    """What the newest entries of a log's audit say that bots were told."""
    return _told.setdefault(log, Told())


_told: WeakKeyDictionary[Log, Told] = WeakKeyDictionary()


def _common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """How many of their first elements are the same."""
    pairs = enumerate(zip(one, other, strict=False))
    differing = (n for n, (a, b) in pairs if not _is_same(a, b))
    return next(differing, min(len(one), len(other)))


def _is_same(one: Any, other: Any) -> bool:
    """Whether both are written alike, as `1` and `True` are not."""
    return one is other or (one == other and orjson.dumps(one) == orjson.dumps(other))


def _contents(turn: Any) -> Sequence[Any]:
    is_turn = isinstance(turn, dict) and "contents" in turn
    return cast("Mapping[str, Any]", turn)["contents"] if is_turn else ()
