"""
The prompts of bots, stored as differences.

Each call sends the whole conversation to the model again. An entry of the audit stores only what
is new, and names an earlier entry of the same bot, room and client that has the rest. So the audit
grows linearly with the conversation, not with its square.
"""

from __future__ import annotations

import threading
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, NamedTuple, cast
from weakref import WeakKeyDictionary

import orjson

from shiny_labchat.caches import BoundedCache
from shiny_labchat.domain.messages import Message
from shiny_labchat.store.log import Log

__all__ = ["Base", "Prompt", "Told", "joined", "told_of"]

PROMPTS_BYTES = 64 * 2**20
"""Most memory of the newest prompts of one log, in bytes; it is estimated."""
TURN_BYTES = 1_024
"""Memory of a turn or a message of a prompt without its text, in bytes; an estimate."""


class Base(NamedTuple):
    """An entry of the audit: its key, and when it was written, in microseconds."""

    entry: int
    at: int


class Prompt(NamedTuple):
    """
    A prompt as it is stored: the entry that it continues, and what is new.

    Parameters
    ----------
    whole
        The whole prompt: turns as JSON values, or messages.
    base
        The entry that has its beginning; None: the prompt is stored whole.
    kept
        How many of the base's first turns it shares.
    within
        How many contents of the next turn it shares, too. If not 0, the first turn of `new` has
        only the others.
    """

    whole: Sequence[Any]
    base: Base | None = None
    kept: int = 0
    within: int = 0

    @property
    def new(self) -> Sequence[Any]:
        """The part of the prompt that the base does not have."""
        if not self.within:
            return self.whole[self.kept :]
        turn, *others = self.whole[self.kept :]
        return [{**turn, "contents": turn["contents"][self.within :]}, *others]


def joined(
    base: Sequence[Mapping[str, Any]], kept: int, within: int, new: Sequence[Mapping[str, Any]]
) -> Sequence[Mapping[str, Any]]:
    """Join a prompt with its base, see `Prompt`; the turns of the base are not copied."""
    if not within:
        return [*base[:kept], *new]
    turn, *others = new
    contents = [*base[kept]["contents"][:within], *turn["contents"]]
    return [*base[:kept], {**turn, "contents": contents}, *others]


class Told:
    """
    A cache of the newest prompts, to find what is new in the next ones.

    The least recently stored prompts are dropped first; the next prompt is then stored whole.

    Parameters
    ----------
    most
        Most memory of all of them, in bytes; a larger prompt is not kept.
    """

    def __init__(self, most: int = PROMPTS_BYTES) -> None:
        self._known: BoundedCache[Hashable, tuple[Base, Sequence[Any]]] = BoundedCache(most)
        self._lock = threading.Lock()

    def prompt(self, whose: Hashable, whole: Sequence[Any]) -> Prompt:
        """A prompt as it is to be stored; it continues the last one of the same `whose`."""
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
        """Keep the prompt of a stored entry."""
        size = sum(map(_size_of, whole))
        with self._lock:
            self._known.put(whose, (base, whole), size)

    def clear(self) -> None:
        """Keep none of them any longer: somebody may have withdrawn whose words they have."""
        with self._lock:
            self._known.clear()


def _size_of(turn: Any) -> int:
    text = turn.content if isinstance(turn, Message) else orjson.dumps(turn)
    return TURN_BYTES + 2 * len(text)


def told_of(log: Log) -> Told:
    """The cache of the newest prompts in a log's audit."""
    return _told.setdefault(log, Told())


_told: WeakKeyDictionary[Log, Told] = WeakKeyDictionary()


def _common(one: Sequence[Any], other: Sequence[Any]) -> int:
    """The number of equal elements at the beginning of both."""
    pairs = enumerate(zip(one, other, strict=False))
    differing = (n for n, (a, b) in pairs if not _is_same(a, b))
    return next(differing, min(len(one), len(other)))


def _is_same(one: Any, other: Any) -> bool:
    """Whether both are the same JSON: `1` and `True` are equal in Python, but not in JSON."""
    return one is other or (one == other and orjson.dumps(one) == orjson.dumps(other))


def _contents(turn: Any) -> Sequence[Any]:
    is_turn = isinstance(turn, dict) and "contents" in turn
    return cast("Mapping[str, Any]", turn)["contents"] if is_turn else ()
