"""A cache that is bounded in bytes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["BoundedCache"]

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Entry(Generic[V]):
    value: V
    size: int


class BoundedCache(Generic[K, V]):
    """
    Values by their keys; what was not used for the longest time is dropped first.

    Parameters
    ----------
    most
        Most memory of all values, in bytes; a larger one is not kept.

    Attributes
    ----------
    size
        The memory of all values, in bytes, as it was given with them.
    """

    def __init__(self, most: int) -> None:
        self.size = 0
        self._most = most
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, key: K) -> bool:
        return key in self._entries

    def get(self, key: K) -> V | None:
        """The value of a key, which counts as used now; None: it is not there."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        self._entries.move_to_end(key)
        return entry.value

    def put(self, key: K, value: V, size: int) -> None:
        """Keep a value of this size, in place of an earlier one with its key."""
        self.pop(key)
        if size > self._most:
            return
        self._entries[key] = _Entry(value, size)
        self.size += size
        while self.size > self._most:
            self.pop(next(iter(self._entries)))

    def clear(self) -> None:
        """Drop all values."""
        self._entries.clear()
        self.size = 0

    def pop(self, key: K) -> V | None:
        """Take a value out; None: it is not there."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return None
        self.size -= entry.size
        return entry.value

    def oldest(self) -> V | None:
        """The value that was not used for the longest time; None: there is none."""
        return next(iter(self._entries.values())).value if self._entries else None
