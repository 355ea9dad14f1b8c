"""What is kept for a page's session, until the session ends."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import Generic, TypeVar
from weakref import WeakKeyDictionary

from shiny.session import Session

__all__ = ["PerSession"]

K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class PerSession(Generic[K, T]):
    """
    Things that are kept by keys for each page's session, whatever module asks for them.

    They may hold their session: they are forgotten when it ends.
    """

    def __init__(self) -> None:
        self._kept: WeakKeyDictionary[Session, dict[K, T]] = WeakKeyDictionary()

    def of(self, session: Session) -> Mapping[K, T]:
        """What is kept for a session's page."""
        return self._kept.get(session.root_scope(), {})

    def keep(self, session: Session, key: K, thing: T) -> T:
        """Keep something for a session's page, unless the session has ended; return it."""
        root = session.root_scope()
        if root._is_closed():  # pyright: ignore[reportPrivateUsage]
            return thing
        known = self._kept.get(root)
        if known is None:
            known = self._kept[root] = {}
            root.on_ended(lambda: self._forget(root))
        known[key] = thing
        return thing

    def _forget(self, root: Session) -> None:
        self._kept.pop(root, None)
