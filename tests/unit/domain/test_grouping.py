"""Who is grouped with whom: sizes, rematches, batches, the queue, and checks of proposals."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import combinations
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shiny_labchat.domain.grouping import (
    Group,
    GroupSize,
    Met,
    Waiting,
    check_groups,
    draw_order,
    group_sizes,
    lobby_seed,
    propose,
    spread,
)
from shiny_labchat.errors import SENTENCES, Refused

SECOND = 1_000_000
NOW = 1_000 * SECOND
PAIRS = GroupSize.of(2)

sizes = st.lists(st.integers(1, 6), min_size=3, max_size=3).map(sorted).map(GroupSize.of)


def ids(count: int) -> list[str]:
    return [f"p{n}" for n in range(count)]


def queue(people: Iterable[str], waited: int = 100) -> list[Waiting]:
    return [Waiting(person, NOW - waited * SECOND) for person in people]


def proposed(
    waiting: list[Waiting], size: GroupSize, seed: str = "s", number: int = 1, **options: Any
) -> list[Group]:
    usual: dict[str, Any] = {"pick": "arrival", "batch": None, "avoid": None, "met": {}}
    usual |= {"settle": 20, "now": NOW, "seed": seed, "number": number}
    return propose(waiting, size, **usual | options)


def relation(pairs: Iterable[tuple[str, str]]) -> Met:
    met: dict[str, set[str]] = {}
    for one, other in pairs:
        met.setdefault(one, set()).add(other)
        met.setdefault(other, set()).add(one)
    return met


def rematches(groups: Iterable[Group], met: Met) -> int:
    return sum(b in met.get(a, ()) for group in groups for a, b in combinations(group, 2))


@st.composite
def acquaintances(draw: st.DrawFn, most: int = 30) -> tuple[list[str], Met]:
    people = ids(draw(st.integers(0, most)))
    pairs = list(combinations(people, 2))
    share = draw(st.floats(0, 1))
    drawn = Random(draw(st.integers(0, 1_000)))
    return people, relation(pair for pair in pairs if drawn.random() < share)


def divisions(people: list[str], count: int, size: int) -> Iterator[list[Group]]:
    """All ways to make so many groups of this size."""
    if count == 0:
        yield []
    for at, first in enumerate(people[: len(people) - size * count + 1] if count else []):
        for others in combinations(people[at + 1 :], size - 1):
            left = [each for each in people[at + 1 :] if each not in others]
            yield from ([(first, *others), *more] for more in divisions(left, count - 1, size))


# Sizes


@pytest.mark.parametrize(
    ("value", "size"),
    [(2, (2, 2, 2)), ((3, 4, 4), (3, 4, 4)), ([1, 2, 3], (1, 2, 3)), (1, (1, 1, 1))],
)
def test_a_group_size_is_one_number_or_three(value: object, size: tuple[int, int, int]) -> None:
    assert GroupSize.of(value) == GroupSize(*size) == GroupSize.of(GroupSize(*size))


@pytest.mark.parametrize(
    "value", [0, -1, "2", 2.0, True, None, (3, 4), (4, 3, 5), (0, 1, 2), (1, 2, "3"), (2, 4, 3)]
)
def test_any_other_group_size_is_refused_by_its_name(value: object) -> None:
    with pytest.raises((TypeError, ValueError), match=r"^group_size must "):
        GroupSize.of(value)


def test_118_people_of_3_to_4_are_28_groups_of_4_and_2_of_3() -> None:
    size = GroupSize.of((3, 4, 4))
    assert group_sizes(118, size, "spread") == [4] * 28 + [3] * 2
    assert group_sizes(118, size, "small") == group_sizes(118, size, "wait") == [4] * 29
    assert group_sizes(119, size, "small") == [4] * 29 + [3]


@pytest.mark.parametrize(
    ("people", "size", "made"),
    [
        (2, (3, 3, 3), []),
        (5, (3, 3, 3), [3]),
        (0, (1, 2, 3), []),
        (7, (2, 5, 5), [4, 3]),
        (5, (2, 4, 5), [5]),
    ],
)
def test_what_cannot_be_leaves_people_over(people: int, size: object, made: list[int]) -> None:
    assert group_sizes(people, GroupSize.of(size), "spread") == made


@pytest.mark.parametrize("greatest", range(1, 9))
def test_people_are_spread_in_the_best_way_there_is(greatest: int) -> None:
    """Fewest left over, then nearest to the ideal, then most groups: against all combinations."""
    for least in range(1, greatest + 1):
        for ideal in range(least, greatest + 1):
            size = GroupSize(least, ideal, greatest)
            best = _best_for_each(200, size)
            for people in range(201):
                made = group_sizes(people, size, "spread")
                error = sum((each - ideal) ** 2 for each in made)
                assert all(map(size.allows, made)) and made == sorted(made, reverse=True)
                assert (people - sum(made), error, -len(made)) == best[people]


def _best_for_each(most: int, size: GroupSize) -> list[tuple[int, int, int]]:
    """For each number of people: those left over, squared differences, minus the groups."""
    best = [(0, 0, 0)]
    for people in range(1, most + 1):
        ways = [(people, 0, 0)]
        for each in range(size.min, min(size.max, people) + 1):
            left, error, groups = best[people - each]
            ways.append((left, error + (each - size.ideal) ** 2, groups - 1))
        best.append(min(ways))
    return best


@given(st.integers(0, 60), sizes, st.sampled_from(["spread", "small", "wait"]), st.text())
def test_everybody_is_in_one_group_or_left_over(
    count: int, size: GroupSize, leftover: Any, seed: str
) -> None:
    groups, left = spread(ids(count), size, leftover, seed)
    assert sorted([*left, *(person for group in groups for person in group)]) == sorted(ids(count))
    assert [len(group) for group in groups] == group_sizes(count, size, leftover)
    assert left == ids(count)[count - len(left) :]


def test_who_is_together_in_a_spread_is_drawn_from_the_seed_and_the_number() -> None:
    first = spread(ids(20), PAIRS, "spread", "s")
    assert first == spread(ids(20), PAIRS, "spread", "s", 1)
    assert first != spread(ids(20), PAIRS, "spread", "other")
    assert first != spread(ids(20), PAIRS, "spread", "s", 11)


def test_in_a_spread_everybody_is_with_everybody_equally_often() -> None:
    pairs = Counter(
        frozenset(group)
        for seed in range(1_000)
        for group in spread(ids(6), PAIRS, "spread", str(seed)).groups
    )
    assert len(pairs) == 15 and all(140 < times < 260 for times in pairs.values())  # 200 expected


# The queue


@given(
    acquaintances(),
    sizes,
    st.sampled_from(["arrival", "random"]),
    st.sampled_from(["prefer", "never", None]),
    st.none() | st.integers(1, 12),
    st.lists(st.integers(0, 40), min_size=30, max_size=30),
)
def test_nobody_is_in_two_groups_and_sizes_are_within_bounds(
    among: tuple[list[str], Met],
    size: GroupSize,
    pick: Any,
    avoid: Any,
    batch: int | None,
    waited: list[int],
) -> None:
    people, met = among
    waiting = [Waiting(person, NOW - s * SECOND) for person, s in zip(people, waited, strict=False)]
    groups = proposed(waiting, size, pick=pick, avoid=avoid, met=met, batch=batch)
    assert check_groups(groups, waiting, size) == groups


@given(
    acquaintances(),
    sizes,
    st.sampled_from(["arrival", "random"]),
    st.sampled_from(["prefer", None]),
)
def test_nobody_who_has_settled_is_left_over_without_need(
    among: tuple[list[str], Met], size: GroupSize, pick: Any, avoid: Any
) -> None:
    people, met = among
    groups = proposed(queue(people), size, pick=pick, avoid=avoid, met=met)
    left = len(people) - sum(map(len, groups))
    assert left < size.min
    assert sum(len(group) != size.ideal for group in groups) <= 1


def test_who_came_first_is_grouped_first() -> None:
    assert proposed(queue(ids(7)), GroupSize.of(3)) == [("p0", "p1", "p2"), ("p3", "p4", "p5")]


def test_the_smallest_group_waits_for_the_ideal_one() -> None:
    waiting = [Waiting("a", NOW - 90 * SECOND), Waiting("b", NOW - 20 * SECOND)]
    size = GroupSize.of((2, 3, 4))
    assert proposed(waiting, size, settle=20) == [("a", "b")]
    assert proposed(waiting, size, settle=20.000001) == []
    assert proposed([*waiting, Waiting("c", NOW)], size) == [("a", "b", "c")]


def test_another_newcomer_does_not_make_the_others_wait_longer() -> None:
    waiting = [*queue("ab", waited=20), *queue("c", waited=1)]
    assert proposed(waiting, GroupSize.of((2, 4, 4))) == [("a", "b", "c")]


def test_a_random_pick_is_the_same_for_a_seed_and_a_number() -> None:
    first = proposed(queue(ids(21)), PAIRS, pick="random")
    assert first == proposed(queue(reversed(ids(21))), PAIRS, pick="random")
    assert first != proposed(queue(ids(21)), PAIRS, pick="random", seed="other")
    assert first != proposed(queue(ids(21)), PAIRS, pick="random", number=2)


def test_a_random_pick_leaves_everybody_over_equally_often() -> None:
    waiting = queue(ids(5))
    left = Counter(
        person
        for seed in range(1_000)
        for person in set(ids(5)).difference(
            *proposed(waiting, PAIRS, pick="random", seed=str(seed))
        )
    )
    assert len(left) == 5 and all(140 < times < 260 for times in left.values())  # 200 expected


def test_a_batch_waits_until_all_of_it_are_there() -> None:
    assert proposed(queue(ids(11)), GroupSize.of(4), batch=12) == []
    groups = proposed(queue(ids(13)), GroupSize.of(4), batch=12)
    assert [len(group) for group in groups] == [4, 4, 4]
    assert {person for group in groups for person in group} == set(ids(12))


def test_each_batch_is_divided_by_itself() -> None:
    groups = proposed(queue(ids(24)), GroupSize.of(4), batch=12)
    assert [{int(person[1:]) // 12 for person in group} for group in groups] == [{0}] * 3 + [
        {1}
    ] * 3


def test_a_batch_leaves_nobody_over_if_that_can_be_avoided() -> None:
    assert [
        len(group) for group in proposed(queue(ids(10)), GroupSize.of((3, 4, 4)), batch=10)
    ] == [4, 3, 3]
    assert [len(group) for group in proposed(queue(ids(10)), GroupSize.of(4), batch=10)] == [4, 4]


# Rematches


@given(acquaintances(), sizes, st.sampled_from(["arrival", "random"]), st.none() | st.just(8))
def test_never_means_never(
    among: tuple[list[str], Met], size: GroupSize, pick: Any, batch: int | None
) -> None:
    people, met = among
    assert not rematches(
        proposed(queue(people), size, pick=pick, avoid="never", met=met, batch=batch), met
    )
    assert not rematches(spread(people, size, "spread", "s", avoid="never", met=met).groups, met)


@given(acquaintances(8), st.integers(2, 4))
def test_prefer_rematches_only_if_forced(among: tuple[list[str], Met], size: int) -> None:
    people, met = among
    groups = proposed(queue(people), GroupSize.of(size), avoid="prefer", met=met)
    every = divisions(people, len(people) // size, size)
    assert len(groups) == len(people) // size
    assert rematches(groups, met) == min(rematches(each, met) for each in every)


@given(acquaintances(8), st.integers(2, 4))
def test_never_makes_as_many_groups_as_there_can_be(
    among: tuple[list[str], Met], size: int
) -> None:
    people, met = among
    groups = proposed(queue(people), GroupSize.of(size), avoid="never", met=met)
    more = divisions(people, len(groups) + 1, size)
    assert all(rematches(each, met) for each in more)


@given(acquaintances(), st.integers(2, 4))
def test_two_are_left_over_by_never_only_if_they_have_met(
    among: tuple[list[str], Met], ideal: int
) -> None:
    people, met = among
    groups = proposed(queue(people), GroupSize(2, ideal, 4), avoid="never", met=met)
    left = [person for person in people if not any(person in group for group in groups)]
    assert all(b in met.get(a, ()) for a, b in combinations(left, 2))


@given(st.integers(0, 1_000), st.integers(2, 6), st.sampled_from(["prefer", "never"]))
def test_in_a_large_lobby_who_has_met_few_meets_nobody_again(
    seed: int, size: int, avoid: Any
) -> None:
    """Nobody has met (n - g) / (2 g - 2) of the others."""
    met = _met_by_few(people := ids(120), (120 - size) // (2 * size - 2) - 1, Random(seed))
    groups = proposed(queue(people), GroupSize.of(size), avoid=avoid, met=met)
    assert len(groups) == 120 // size and not rematches(groups, met)


def _met_by_few(people: list[str], most: int, drawn: Random) -> Met:
    met: dict[str, set[str]] = {person: set() for person in people}
    near = [(a, b) for n, a in enumerate(people) for b in people[n + 1 : n + 2 * most]]
    for one, other in drawn.sample(near, len(near)):
        if len(met[one]) < most and len(met[other]) < most:
            met[one].add(other)
            met[other].add(one)
    return met


def test_ten_rounds_of_a_class_meet_nobody_again() -> None:
    size, met = GroupSize.of((3, 4, 4)), relation([])
    for number in range(1, 11):
        groups, left = spread(ids(118), size, "spread", "s", number, avoid="prefer", met=met)
        assert not left and not rematches(groups, met)
        pairs = [pair for group in groups for pair in combinations(group, 2)]
        met = relation([*pairs, *((a, b) for a, those in met.items() for b in those)])


def test_who_has_met_everybody_is_left_over_rather_than_met_again() -> None:
    met = relation([("p0", other) for other in ids(5)[1:]])
    assert proposed(queue(ids(5)), PAIRS, avoid="prefer", met=met) == [("p1", "p2"), ("p3", "p4")]
    assert proposed(queue(ids(2)), PAIRS, avoid="prefer", met=met) == [("p0", "p1")]
    assert proposed(queue(ids(2)), PAIRS, avoid="never", met=met) == []


@pytest.mark.parametrize("avoid", ["prefer", "never"])
def test_in_a_large_lobby_too_those_who_have_met_everybody_are_left_over(avoid: str) -> None:
    met = relation((one, other) for one in ids(2) for other in ids(41) if one != other)
    groups = proposed(queue(ids(41)), GroupSize.of(3), avoid=avoid, met=met)
    assert sorted(person for group in groups for person in group) == sorted(ids(41)[2:])
    assert not rematches(groups, met)


def test_500_people_are_grouped_within_50_milliseconds() -> None:
    people, drawn = ids(500), Random(1)
    met = relation((a, b) for a, b in combinations(people, 2) if drawn.random() < 0.02)
    taken: list[float] = []
    for _ in range(5):
        before = time.process_time()
        groups = proposed(queue(people), GroupSize.of((3, 4, 4)), avoid="prefer", met=met)
        taken.append(time.process_time() - before)
        assert len(groups) == 125 and not rematches(groups, met)
    assert min(taken) < 0.05


# Proposals of an app


@pytest.mark.parametrize(
    ("groups", "words"),
    [
        (None, "pick must return a list of groups, not None."),
        ("ab", "pick must return a list of groups, not 'ab'."),
        (["ab"], "pick must return a list of people's ids as each group, not 'ab'."),
        ([["a", 2]], "pick must return people's ids as text, not 2."),
        ([["a", "b"], ["b", "c"]], "Nobody can be grouped twice. (member 'b')"),
        ([["a", "a"]], "Nobody can be grouped twice. (member 'a')"),
        ([["a", "x"]], "Only those who wait can be grouped. (member 'x')"),
        ([["a"]], "A group has 2 to 3 people, but one was given 1."),
        ([["a", "b", "c", "d"]], "A group has 2 to 3 people, but one was given 4."),
    ],
)
def test_a_proposal_that_does_not_hold_is_refused_in_words(groups: object, words: str) -> None:
    with pytest.raises(Refused) as caught:
        check_groups(groups, queue("abcd"), GroupSize.of((2, 2, 3)))
    assert str(caught.value) == f"not_grouped: {SENTENCES['not_grouped']} {words}"


def test_a_proposal_that_holds_is_taken_as_it_is() -> None:
    size = GroupSize.of((2, 2, 3))
    assert check_groups([["d", "a"], ("c", "b")], queue("abcd"), size) == [("d", "a"), ("c", "b")]
    assert check_groups([], queue("abcd"), size) == []


# The order in a group


@given(st.permutations(ids(6)))
def test_the_order_in_a_group_is_the_same_however_people_came(people: list[str]) -> None:
    assert draw_order("s", "g", people) == draw_order("s", "g", ids(6))


def test_every_order_in_a_group_is_drawn_equally_often() -> None:
    orders = Counter(tuple(draw_order(str(seed), "g", "abc")) for seed in range(1_200))
    assert len(orders) == 6 and all(140 < times < 260 for times in orders.values())  # 200 expected


def test_another_group_has_another_order() -> None:
    assert len({tuple(draw_order("s", f"g{n}", ids(8))) for n in range(50)}) == 50


def test_lobbies_of_a_study_have_seeds_of_their_own() -> None:
    seeds = {lobby_seed(seed, lobby) for seed in ("1", "2") for lobby in ("a", "b")}
    assert len(seeds) == 4
    assert lobby_seed("1", "a") == lobby_seed("1", "a")
