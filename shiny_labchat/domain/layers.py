"""A mapping that never changes, of which a changed copy costs little. Pure."""

from __future__ import annotations

from collections.abc import ItemsView, Iterator, KeysView, Mapping, ValuesView
from typing import Any, TypeVar, overload

__all__ = ["LayeredMap"]

K = TypeVar("K")
V = TypeVar("V")
D = TypeVar("D")

FEW = 32
"""Changes that are always kept apart: to copy so few costs next to nothing."""
SHARE = 16
"""Changes are made part of the shared dict when their square is this many times its size."""


class LayeredMap(Mapping[K, V]):
    """
    A mapping in the order of insertion, as a dict is, that never changes.

    It has two layers: a large dict that many versions share, and the changes since, which each
    version has for itself, until they are so many that both are made one new dict. So a change
    costs about the square root of the size, where copying a dict costs the size; a look-up costs
    what it does in a dict.

    Several threads may use one version: `_changes` is always read before `_base`, and set after it.
    """

    __slots__ = ("_base", "_changes")

    def __init__(self, base: dict[K, V] | None = None) -> None:
        self._base: dict[K, V] = {} if base is None else base
        self._changes: dict[K, V] = {}

    def changed(self, key: K, value: V) -> LayeredMap[K, V]:
        """A copy with one item more, or another value of it."""
        changes = {**self._changes, key: value}
        return self._of(self._base, changes)

    def draft(self) -> Draft[K, V]:
        """A copy that can be changed in place."""
        changes = dict(self._changes)
        copied: Draft[K, V] = Draft(self._base)
        copied._changes = changes
        return copied

    def __getitem__(self, key: K) -> V:
        changes = self._changes
        return changes[key] if key in changes else self._base[key]

    @overload
    def get(self, key: K, default: None = None, /) -> V | None: ...
    @overload
    def get(self, key: K, default: V | D, /) -> V | D: ...
    def get(self, key: K, default: Any = None, /) -> Any:
        """The value of a key; `default`: there is none."""
        changes = self._changes
        return changes[key] if key in changes else self._base.get(key, default)

    def __contains__(self, key: object) -> bool:
        return key in self._changes or key in self._base

    @property
    def size(self) -> int:
        """At least the number of items, at most some more; takes no time."""
        return len(self._changes) + len(self._base)

    def __iter__(self) -> Iterator[K]:
        return iter(self._joined())

    def __len__(self) -> int:
        return len(self._joined())

    def keys(self) -> KeysView[K]:
        """The keys, in order of insertion."""
        return self._joined().keys()

    def items(self) -> ItemsView[K, V]:
        """The keys and values, in order of insertion."""
        return self._joined().items()

    def values(self) -> ValuesView[V]:
        """The values, in order of insertion."""
        return self._joined().values()

    def __repr__(self) -> str:
        return f"LayeredMap({self._joined()!r})"

    @staticmethod
    def _of(base: dict[K, V], changes: dict[K, V]) -> LayeredMap[K, V]:
        made = LayeredMap(base)
        made._changes = changes
        if len(changes) > FEW and len(changes) ** 2 > SHARE * len(base):
            made._joined()
        return made

    def _joined(self) -> dict[K, V]:
        """All as one dict, from now on."""
        changes = self._changes
        if changes:
            self._base = {**self._base, **changes}
            self._changes = {}
        return self._base


class Draft(LayeredMap[K, V]):
    """A mapping that `changed` changes in place; only its maker may have it."""

    __slots__ = ()

    def changed(self, key: K, value: V) -> Draft[K, V]:
        """Itself, with one item more, or another value of it."""
        self._changes[key] = value
        return self

    def done(self) -> LayeredMap[K, V]:
        """The mapping that never changes again; the draft must not be used any more."""
        return self._of(self._base, self._changes)
