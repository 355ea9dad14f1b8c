"""
Rounds in which nobody meets anybody twice: perfect strangers. Pure.

In a round everybody is in one group of g, of n people in all, and meets g - 1 others. So there are
never more than (n - 1) / (g - 1) rounds. How many there are in truth is an open problem for many
numbers: the social golfer problem, or that of resolvable packings (C. J. Colbourn and J. H. Dinitz,
"Handbook of Combinatorial Designs", 2nd edition, 2007). Here the best of these is taken:

* Pairs: the tournament in which each plays each, with n - 1 rounds, which is the maximum.
* Fewer than g groups: one round, which is the maximum: in a second one two of a group would have
  to meet, as it has more people than there are groups to put them in.
* A transversal design from finite fields: n / g rounds, if g is at most the smallest of the prime
  powers in n / g (H. F. MacNeish, "Euler squares", Annals of Mathematics 23, 1922). In it people
  stand in g rows, and nobody has met anybody of their own row; so rows are divided in the same way.
  Where n is a power of g, and g of a prime, these are the lines of an affine space: the maximum.
* A first round that was found by a search, from which the others follow by rotation: `STARTERS`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

from shiny_labchat.domain.grouping.fields import largest_family, ring_of
from shiny_labchat.domain.grouping.starters import STARTERS, Starter

__all__ = ["most_rounds", "perfect_rounds", "upper_bound"]

Rounds = Sequence[Sequence[Sequence[int]]]
"""Of each round the groups, of each group the places of its people, from 0."""


def upper_bound(people: int, size: int) -> int:
    """A number of rounds that cannot be exceeded without a rematch, however people are grouped."""
    if size < 2:
        return 0
    return 1 if people < size * size else (people - 1) // (size - 1)


@cache
def most_rounds(people: int, size: int) -> int:
    """How many rounds `perfect_rounds` has; the number of people is a multiple of the size."""
    groups = people // size
    if size == 2:
        return people - 1
    if groups < size:
        return 1
    starter = STARTERS.get((people, size))
    return max(_in_design(groups, size), starter.rounds if starter else 0, 1)


def _in_design(groups: int, size: int) -> int:
    if size > largest_family(groups):
        return 0
    return groups + (most_rounds(groups, size) if groups % size == 0 else 0)


@cache
def perfect_rounds(people: int, size: int) -> Rounds:
    """
    Rounds in which no two people are in one group twice.

    Parameters
    ----------
    people
        The number of people: a multiple of the size.
    size
        How many are in a group, at least 2.
    """
    groups, most = people // size, most_rounds(people, size)
    if size == 2:
        return _tournament(people)
    if most == _in_design(groups, size):
        return _design(groups, size)
    starter = STARTERS.get((people, size))
    if starter is not None and starter.rounds == most:
        return _rotated(starter)
    return [[range(at, at + size) for at in range(0, people, size)]]


def _tournament(people: int) -> Rounds:
    """Each plays each: one stays where they are, the others go round."""
    others = people - 1
    return [
        [
            (others, turn),
            *(((turn + by) % others, (turn - by) % others) for by in range(1, people // 2)),
        ]
        for turn in range(others)
    ]


def _design(groups: int, size: int) -> Rounds:
    """People stand in `size` rows; each group has one of each row, until rows meet themselves."""
    ring = ring_of(groups)
    across = [
        [
            [
                row * groups + ring.plus[first][ring.times[turn][ring.units[row]]]
                for row in range(size)
            ]
            for first in range(groups)
        ]
        for turn in range(groups)
    ]
    if groups % size:
        return across
    within = [
        [[row * groups + place for place in group] for row in range(size) for group in one_round]
        for one_round in perfect_rounds(groups, size)
    ]
    return [*across, *within]


def _rotated(starter: Starter) -> Rounds:
    """The first round, turned on by one place for each further round."""
    return [
        [[starter.turned(place, by) for place in group] for group in starter.groups]
        for by in range(starter.rounds)
    ]
