"""Rounds in which nobody meets anybody twice."""

from __future__ import annotations

from itertools import combinations

import pytest

from shiny_labchat.domain.grouping import most_rounds
from shiny_labchat.domain.grouping.fields import largest_family, ring_of
from shiny_labchat.domain.grouping.perfect import perfect_rounds, upper_bound
from shiny_labchat.domain.grouping.starters import STARTERS

SMALL = [(people, size) for size in range(2, 8) for people in range(size, 61, size)]
NUMBERS = list(dict.fromkeys([*SMALL, *STARTERS]))


@pytest.mark.parametrize(("people", "size"), NUMBERS)
def test_everybody_is_in_a_group_in_each_round_and_meets_nobody_twice(
    people: int, size: int
) -> None:
    rounds = perfect_rounds(people, size)
    assert len(rounds) == most_rounds(people, size) <= upper_bound(people, size)
    met: set[frozenset[int]] = set()
    for groups in rounds:
        assert sorted(place for group in groups for place in group) == list(range(people))
        assert {len(group) for group in groups} == {size}
        for pair in (frozenset(pair) for group in groups for pair in combinations(group, 2)):
            assert pair not in met
            met.add(pair)


@pytest.mark.parametrize("people", range(2, 61, 2))
def test_in_pairs_everybody_meets_everybody(people: int) -> None:
    assert most_rounds(people, 2) == people - 1 == upper_bound(people, 2)


@pytest.mark.parametrize(
    ("people", "size", "most"),
    [(9, 3, 4), (16, 4, 5), (25, 5, 6), (27, 3, 13), (64, 4, 21), (49, 7, 8), (64, 8, 9)],
)
def test_where_people_are_a_power_of_a_group_everybody_meets_everybody(
    people: int, size: int, most: int
) -> None:
    assert most_rounds(people, size) == most == upper_bound(people, size)


@pytest.mark.parametrize(("people", "size"), [(12, 4), (8, 4), (20, 5), (3, 3)])
def test_fewer_groups_than_people_in_one_have_one_round(people: int, size: int) -> None:
    assert most_rounds(people, size) == 1


@pytest.mark.parametrize("number", [2, 3, 4, 5, 7, 8, 9, 12, 15, 16, 20, 25, 27])
def test_a_ring_adds_and_multiplies_and_its_family_differs_by_what_has_an_inverse(
    number: int,
) -> None:
    plus, times, units = ring_of(number)
    elements = range(number)
    assert len(units) == largest_family(number)
    for one in elements:
        assert sorted(plus[one]) == list(elements), "adding is undone"
    for one, other in combinations(units, 2):
        [difference] = [each for each in elements if plus[other][each] == one]
        assert sorted(times[difference]) == list(elements), "so is multiplying by a difference"
    for a, b, c in combinations(elements[:6], 3):
        assert times[a][plus[b][c]] == plus[times[a][b]][times[a][c]]
