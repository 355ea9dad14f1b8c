"""Who is here, in an order that shows nothing of them. Pure."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterator

from shiny_labchat.domain.membership import Membership

__all__ = ["Roster"]


class Roster:
    """
    Those who are here, in the order of their handles, which are random.

    Bots are always here; if they always came first, everybody could tell who is a bot.
    """

    def __init__(self) -> None:
        self._memberships: dict[_Key, Membership] = {}
        self._order: list[_Key] = []
        self._keys: dict[str, _Key] = {}
        self._hidden: set[_Key] = set()

    def update(self, member: str, membership: Membership | None) -> None:
        """Note what a member is like now; None: they are not here."""
        before = self._keys.pop(member, None)
        if before is not None:
            del self._memberships[before]
            del self._order[bisect_left(self._order, before)]
            self._hidden.discard(before)
        if membership is not None:
            key = self._keys[member] = membership.handle, member
            self._memberships[key] = membership
            insort(self._order, key)
            if membership.is_hidden_from(None):
                self._hidden.add(key)

    def __iter__(self) -> Iterator[Membership]:
        return (self._memberships[key] for key in self._order)

    def members(self) -> list[str]:
        """The ids of all who are here."""
        return list(self._keys)

    def number(self, *, observers: bool) -> int:
        """How many are here, with or without those whom participants are not shown."""
        return len(self._order) - (0 if observers else len(self._hidden))

    def first(self, number: int, *, observers: bool) -> list[Membership]:
        """The first of them, with or without those whom participants are not shown."""
        found: list[Membership] = []
        for key in self._order:
            if len(found) == number:
                break
            if observers or key not in self._hidden:
                found.append(self._memberships[key])
        return found


_Key = tuple[str, str]
"""A handle and a member: in a very large room, two members may have the same handle."""
