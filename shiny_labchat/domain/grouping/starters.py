"""First rounds from which rounds without a rematch follow by rotation. Pure data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

__all__ = ["STARTERS", "Starter"]


class Starter(NamedTuple):
    """
    The first of several rounds in which nobody meets anybody twice.

    People sit at round tables with as many places as there are rounds, the first ones at the first
    table, and so on; those who are left over sit at none. From round to round those at the tables
    move on by one place, and the others stay.

    Parameters
    ----------
    rounds
        The number of rounds, and of the places at a table.
    groups
        The groups of the first round: the numbers of their people, from 0.
    """

    rounds: int
    groups: Sequence[Sequence[int]]

    def turned(self, place: int, by: int) -> int:
        """Who is in the place of somebody so many rounds later."""
        table, seat = divmod(place, self.rounds)
        people = sum(map(len, self.groups))
        is_at_table = (table + 1) * self.rounds <= people
        return table * self.rounds + (seat + by) % self.rounds if is_at_table else place


def _starter(rounds: int, groups: str) -> Starter:
    """A starter as it is written here: numbers with commas, groups with spaces between them."""
    return Starter(rounds, [[int(each) for each in group.split(",")] for group in groups.split()])


STARTERS: Mapping[tuple[int, int], Starter] = {}
"""By the numbers of people and of people in a group; found by a search on a computer."""
