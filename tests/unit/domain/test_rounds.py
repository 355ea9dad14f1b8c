"""Who is with whom in the next round of a cohort."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import combinations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.grouping import (
    GroupSize,
    Rematch,
    Round,
    divide,
    sizes_in_round,
    smallest,
)


def ids(count: int) -> list[str]:
    return [f"p{n}" for n in range(count)]


def pairs(groups: Iterable[Sequence[str]]) -> set[frozenset[str]]:
    return {frozenset(pair) for group in groups for pair in combinations(group, 2)}


def played(
    people: Sequence[str],
    size: GroupSize,
    rematch: Rematch,
    rounds: int,
    seed: str = "s",
    least: int | None = None,
) -> list[list[tuple[str, ...]]]:
    """The groups of all rounds, where nobody leaves."""
    found: list[list[tuple[str, ...]]] = []
    sat = Counter[str]()
    for number in range(1, rounds + 1):
        last = found[-1] if found else []
        drawn = Round(number, people, frozenset(people), last, sat)
        found.append(divide(drawn, rematch, size, least or size.min, seed, 1))
        grouped = {person for group in found[-1] for person in group}
        sat.update(person for person in people if person not in grouped)
    return found


PAIRS, FOURS = GroupSize.of(2), GroupSize.of(4)


def test_partners_stay_together() -> None:
    first, *others = played(ids(12), FOURS, "partners", 5)
    assert {len(group) for group in first} == {4} and all(each == first for each in others)


def test_partners_who_have_left_are_missing_in_their_group_only() -> None:
    first = played(ids(8), FOURS, "partners", 1)[0]
    here = set(ids(8)) - {first[0][1]}
    second = divide(Round(2, ids(8), here, first), "partners", FOURS, 2, "s", 1)
    assert second == [(first[0][0], *first[0][2:]), first[1]]


@given(size=st.integers(2, 5), extra=st.integers(0, 4), seed=st.text(max_size=3))
def test_no_stranger_is_met_twice_in_a_row_where_groups_are_at_least_as_many_as_people_in_one(
    size: int, extra: int, seed: str
) -> None:
    people = ids(size * (size + extra))
    rounds = played(people, GroupSize.of(size), "strangers", 6, seed)
    for one, other in zip(rounds, rounds[1:], strict=False):
        assert not pairs(one) & pairs(other)
        assert sorted(person for group in other for person in group) == sorted(people)


def test_where_somebody_must_be_met_again_as_few_are_as_there_can_be() -> None:
    """Of three groups of four, each new one has two of some old one."""
    rounds = played(ids(12), FOURS, "strangers", 10)
    for one, other in zip(rounds, rounds[1:], strict=False):
        assert len(pairs(one) & pairs(other)) == 3


@given(left=st.integers(6, 24), seed=st.text(max_size=3))
def test_strangers_whose_group_is_smaller_are_all_in_one(left: int, seed: str) -> None:
    rounds = played(ids(left), FOURS, "strangers", 3, seed, smallest(FOURS, "smaller", 0))
    for groups in rounds:
        assert sorted(person for group in groups for person in group) == sorted(ids(left))
        assert {len(group) for group in groups} <= {2, 3, 4}


def test_those_who_sit_out_change() -> None:
    rounds = played(ids(11), FOURS, "strangers", 11)
    sat = Counter(ids(11))
    for groups in rounds:
        assert [len(group) for group in groups] == [4, 4]
        sat.update({person for person in ids(11)} - {each for group in groups for each in group})
    assert set(sat.values()) == {4}, "each three times in eleven rounds"


def test_strangers_are_drawn_from_the_seed() -> None:
    one, again = (played(ids(24), FOURS, "strangers", 10, "s") for _ in range(2))
    assert one == again != played(ids(24), FOURS, "strangers", 10, "t")


def test_everybody_is_with_everybody_equally_often() -> None:
    met = Counter[frozenset[str]]()
    for n in range(400):
        met.update(pairs(played(ids(12), GroupSize.of(3), "strangers", 2, f"{n}")[1]))
    expected = 400 * 12 / (12 * 11 / 2)
    assert len(met) == 66 and max(met.values()) < 1.7 * expected
    assert min(met.values()) > 0.4 * expected


@pytest.mark.parametrize(
    ("people", "size", "rounds"), [(12, 2, 11), (16, 4, 5), (9, 3, 4), (20, 4, 5)]
)
def test_perfect_strangers_never_meet_again_even_if_some_have_left(
    people: int, size: int, rounds: int
) -> None:
    met: set[frozenset[str]] = set()
    here = set(ids(people))
    for number in range(1, rounds + 1):
        groups = divide(Round(number, ids(people), here), "perfect", GroupSize.of(size), 2, "s", 1)
        assert not pairs(groups) & met and all(len(group) >= 2 for group in groups)
        met |= pairs(groups)
        here.discard(f"p{number}")


def test_whose_partner_has_left_sits_out_a_perfect_round() -> None:
    here = set(ids(6)) - {"p5"}
    rounds: list[Any] = [
        divide(Round(number, ids(6), here), "perfect", PAIRS, 2, "s", 1) for number in range(1, 6)
    ]
    assert all(len(groups) == 2 for groups in rounds)
    out = [here - {each for group in groups for each in group} for groups in rounds]
    assert sorted(person for some in out for person in some) == ids(5)


@pytest.mark.parametrize(
    ("size", "short", "parts", "least"),
    [(4, "smaller", 0, 2), (4, "smaller", 3, 3), (4, "sit_out", 0, 4), (1, "smaller", 0, 1)],
)
def test_how_small_a_group_may_become(size: int, short: Any, parts: int, least: int) -> None:
    assert smallest(GroupSize.of(size), short, parts) == least


def test_groups_are_smaller_than_usual_only_if_somebody_would_be_left_over() -> None:
    """Six people who may be one group of six are not two of three."""
    assert sizes_in_round(6, GroupSize(4, 4, 6), 2) == [6]
    assert sizes_in_round(7, GroupSize(4, 4, 6), 2) == [4, 3]
    assert sizes_in_round(7, GroupSize(4, 4, 6), 4) == [6]
