"""Who of a room's members hears whom, by its network and their roles. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.network import Network, Ring

__all__ = ["Hearing"]


class Hearing(NamedTuple):
    """
    Who hears whom in a room at a moment.

    A network is among those who take part: people and bots. Observers and experimenters hear all,
    and are heard by all from whom they were not disconnected.

    Parameters
    ----------
    network
        The room's network.
    memberships
        All who are or were members, by their ids, in the order in which they have first joined.
    """

    network: Network
    memberships: Mapping[str, Membership]

    def hears(self, viewer: str, speaker: str) -> bool:
        """Whether somebody hears somebody else."""
        return self.network.is_full or self._hears(viewer, speaker, self._ring())

    def heard_by(self, viewer: str) -> frozenset[str] | None:
        """The ids of all, former members too, whom somebody hears; None: everybody."""
        if self.network.is_full:
            return None
        ring = self._ring()
        return frozenset(each for each in self.memberships if self._hears(viewer, each, ring))

    def hearers(self, speaker: str) -> list[str] | None:
        """
        The ids of those who take part and hear a member; None: everybody does.

        They are in the order in which they joined; a speaker who takes part is one of them.
        """
        if self.network.is_full:
            return None
        is_heard_by_all = self.memberships[speaker].hears_all or self.network.shape == "full"
        if is_heard_by_all and not self.network.is_limited_for(speaker):
            return None
        ring = self._ring()
        return [each for each in self.taking_part() if self._hears(each, speaker, ring)]

    def taking_part(self) -> list[str]:
        """The ids of the current members who take part."""
        members = self.memberships.values()
        return [each.member for each in members if not (each.is_removed or each.hears_all)]

    def same_place(self, member: str) -> frozenset[str]:
        """The ids of a member, and of those whose place they have taken: they have one handle."""
        handle = self.memberships[member].handle
        members = self.memberships.values()
        return frozenset(each.member for each in members if each.handle == handle)

    def _hears(self, viewer: str, speaker: str, ring: Ring | None) -> bool:
        hearing, speaking = self.memberships.get(viewer), self.memberships.get(speaker)
        if viewer == speaker:
            return True
        if hearing is None or speaking is None:
            return False
        if hearing.hears_all:
            return True
        if speaking.hears_all:
            return self.network.edges.get((speaker, viewer), True)
        return self.network.has(speaker, viewer, ring)

    def _ring(self) -> Ring | None:
        """The places of all who take or took part; whoever is removed leaves theirs empty."""
        if self.network.shape != "ring":
            return None
        numbers: dict[str, int] = {}
        places = {
            each.member: numbers.setdefault(each.handle, len(numbers))
            for each in self.memberships.values()
            if not each.hears_all
        }
        return Ring(places, len(numbers) - 1)
