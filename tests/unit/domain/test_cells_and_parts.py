"""What groups are drawn for: cells of conditions, and parts in a group."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.grouping import (
    Balance,
    Cell,
    Draw,
    GroupSize,
    assign_parts,
    cells,
    check_cell,
    check_parts,
    draw_cell,
)

ABC: list[Cell] = ["a", "b", "c"]

balances = st.sampled_from(["block", "rotate", "random"])
counts = st.lists(st.integers(0, 5), min_size=1, max_size=6)


def drawn(
    number: int, balance: Balance = "block", seed: str = "s", dissolved: int = 0
) -> list[Draw]:
    """The draws for so many groups, of which each `dissolved`-th does not count any more."""
    draws: list[Draw] = []
    counts = [0] * len(ABC)
    for n in range(1, number + 1):
        draws.append(draw_cell(ABC, counts, balance, seed, n))
        if not dissolved or n % dissolved:
            counts[ABC.index(draws[-1].cell)] += 1
    return draws


# Conditions


def test_a_list_gives_texts_and_none_gives_one_cell() -> None:
    assert cells(["calm", "heated"]) == ["calm", "heated"]
    assert cells(None) == [None]


def test_factors_are_crossed_in_the_order_in_which_they_are_written() -> None:
    assert cells({"profile": ["hidden", "shared"], "leader": [True, 1, None]}) == [
        {"profile": "hidden", "leader": True},
        {"profile": "hidden", "leader": 1},
        {"profile": "hidden", "leader": None},
        {"profile": "shared", "leader": True},
        {"profile": "shared", "leader": 1},
        {"profile": "shared", "leader": None},
    ]


@pytest.mark.parametrize(
    ("conditions", "words"),
    [
        ([], "conditions must have at least one value, not none"),
        ({}, "conditions must have at least one factor, not {}; write None for none"),
        ({"a": []}, "conditions['a'] must have at least one value, not none"),
        (["x", "y", "x"], "conditions must have each value once, but has 'x' twice"),
        ({"a": [1, 2, 1.0]}, "conditions['a'] must have each value once, but has 1.0 twice"),
        ({"a": [[1], (1,)]}, "conditions['a'] must have each value once, but has [1] twice"),
        ("calm", "conditions must be a list, not 'calm'"),
        (
            {
                "calm",
            },
            "conditions must be a list, not {'calm'}",
        ),
        ({"a": "calm"}, "conditions['a'] must be a list, not 'calm'"),
        ([1, 2], "a condition must be text, not int"),
        ([""], "a condition must be 1 to 200 printable characters, not ''"),
        ({1: ["x"]}, "the name of a factor in conditions must be text, not int"),
        ({"a": [float("nan")]}, "conditions['a'] must have JSON values, not nan"),
        ({"a": [b"x"]}, "conditions['a'] must have JSON values, not b'x'"),
        ({"a": [{1: 2}]}, "conditions['a'] has {1: 2}, which would not be the same in a database"),
        ({"a": ["\0"]}, "conditions['a'] has '\\x00', which would not be the same in a database"),
    ],
)
def test_other_conditions_are_refused_in_words(conditions: object, words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        cells(conditions)
    assert str(caught.value) == words


def test_a_cell_does_not_change_with_what_it_was_made_of() -> None:
    settings = {"pace": 1}
    made = cells({"bot": [settings]})
    settings["pace"] = 2
    assert made == [{"bot": {"pace": 1}}]


# The draw


@given(counts, st.text(), st.integers(1, 1_000))
def test_block_never_draws_a_cell_with_more_than_the_fewest(
    counts: list[int], seed: str, number: int
) -> None:
    every: list[Cell] = [str(n) for n in range(len(counts))]
    draw = draw_cell(every, counts, "block", seed, number)
    assert counts[every.index(draw.cell)] == min(counts)
    assert draw.block == min(counts) + 1


@given(counts)
def test_block_draws_each_cell_that_has_the_fewest(counts: list[int]) -> None:
    every: list[Cell] = [str(n) for n in range(len(counts))]
    draws = Counter(draw_cell(every, counts, "block", str(n), 1).cell for n in range(200))
    assert set(draws) == {str(n) for n, count in enumerate(counts) if count == min(counts)}


def test_in_block_each_block_has_every_cell_once() -> None:
    draws = drawn(30)
    for block in range(1, 11):
        assert sorted(str(draw.cell) for draw in draws if draw.block == block) == ["a", "b", "c"]
    assert [draw.block for draw in draws] == [1 + n // 3 for n in range(30)]


def test_in_block_every_order_of_cells_is_drawn_equally_often() -> None:
    orders = Counter(
        "".join(str(draw.cell) for draw in drawn(3, seed=str(n))) for n in range(1_200)
    )
    assert len(orders) == 6 and all(140 < times < 260 for times in orders.values())  # 200 expected


def test_the_place_of_a_dissolved_group_is_drawn_again() -> None:
    draws = drawn(40, dissolved=4)
    lasting = Counter(draw.cell for n, draw in enumerate(draws, start=1) if n % 4)
    assert set(lasting.values()) == {10}


def test_rotate_goes_by_the_number_of_the_group_alone() -> None:
    for dissolved in (0, 2):
        draws = drawn(7, "rotate", dissolved=dissolved)
        assert [draw.cell for draw in draws] == ["a", "b", "c", "a", "b", "c", "a"]
        assert [draw.block for draw in draws] == [1, 1, 1, 2, 2, 2, 3]


def test_random_draws_each_cell_equally_often_whatever_was_drawn() -> None:
    draws = drawn(900, "random")
    assert all(240 < times < 360 for times in Counter(draw.cell for draw in draws).values())
    assert {draw.block for draw in draws} == {None}
    follows = Counter(one.cell == other.cell for one, other in zip(draws, draws[1:], strict=False))
    assert 240 < follows[True] < 360  # 300 expected


@given(counts, balances, st.text(), st.integers(1, 1_000))
def test_a_draw_can_be_made_again_from_its_record(
    counts: list[int], balance: Balance, seed: str, number: int
) -> None:
    every: list[Cell] = [str(n) for n in range(len(counts))]
    draw = draw_cell(every, counts, balance, seed, number)
    assert draw_cell(every, **json.loads(json.dumps(draw.record))) == draw


@pytest.mark.parametrize("balance", ["block", "random"])
def test_another_seed_draws_otherwise(balance: Balance) -> None:
    series = {tuple(draw.cell for draw in drawn(12, balance, seed)) for seed in "abcdefgh"}
    assert len(series) == 8


# What an app's function proposes


def test_a_proposal_equal_to_a_cell_is_that_cell() -> None:
    every = cells({"n": [1, 2], "leader": [True, False]})
    assert check_cell(every, {"leader": False, "n": 2.0}) is every[3]
    assert check_cell(cells(None), None) is None


@pytest.mark.parametrize(
    "proposal", ["d", None, 1, {"a": 1}, {"n": 1}, {"n": True, "x": 1}, {1}, {"n": {1}}]
)
def test_a_proposal_that_is_no_cell_is_refused_with_those_there_are(proposal: Any) -> None:
    with pytest.raises(ValueError, match="^balance must return one of the conditions, 'a', 'b'"):
        check_cell(ABC, proposal)
    with pytest.raises(ValueError, match="^balance must return one of the conditions, {'n': 1, "):
        check_cell([{"n": 1, "x": 1}], proposal)


# Parts


def test_parts_are_given_in_the_order_of_the_people() -> None:
    parts = {"buyer": 1, "seller": 2}
    given = {"p3": "buyer", "p1": "seller", "p2": "seller"}
    assert assign_parts(parts, ["p3", "p1", "p2"]) == given
    assert assign_parts(parts, ["p3", "p1", "p2", "p4"]) == {**given, "p4": None}
    assert assign_parts(None, ["p1"]) == {"p1": None}


@pytest.mark.parametrize(
    ("parts", "size"),
    [(None, 3), ({"a": 1, "b": 2}, 3), ({"a": 1, "b": 1}, (2, 3, 3)), ({"a": 1}, (2, 2, 3))],
)
def test_parts_that_fit_every_group_are_taken(parts: object, size: object) -> None:
    check_parts(parts, GroupSize.of(size))


@pytest.mark.parametrize(
    ("parts", "size", "words"),
    [
        ({"a": 1}, 2, "parts are for 1 person, but groups have 2: name a part for each person"),
        ({"a": 3}, 2, "parts are for 3 people, but groups have 2: name a part for each person"),
        (
            {"a": 1, "b": 2},
            (2, 3, 4),
            "parts are for 3 people, but groups have 2 to 4 people, and the smallest must have all "
            "parts, too: name at most 2; the others in a larger group have no part",
        ),
        ({"a": 0}, 2, "parts['a'] must be at least 1, not 0"),
        ({"a": "1"}, 2, "parts['a'] must be a whole number, not '1'"),
        ({"": 2}, 2, "the name of a part in parts must be 1 to 200 printable characters, not ''"),
        (
            ["a", "b"],
            2,
            'parts must be a mapping such as {"buyer": 1, "seller": 1}, or None, '
            "not ['a', 'b']",
        ),
    ],
)
def test_other_parts_are_refused_in_words(parts: object, size: object, words: str) -> None:
    with pytest.raises((TypeError, ValueError)) as caught:
        check_parts(parts, GroupSize.of(size))
    assert str(caught.value) == words
