"""
Divisions of people into groups with few rematches, or none. Pure.

A rematch is a pair of people in one group who have met before. To find the fewest is hard: it is
the colouring of a graph in which each colour is used so many times. So all divisions are looked at
for few people only. For many, groups are filled from the front and then improved by exchanges of
two people. In groups of g, of n people in all, two who have met can always be parted by one
exchange if nobody has met as many as (n - g) / (2 g - 2) of them: an exchange is prevented only by
those whom one of the two groups' others has met.

People are numbers here, in the order in which they are given, and a set of people is an integer
that has their bits: so few operations are needed that 500 people are divided within milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from itertools import combinations, pairwise

__all__ = ["Met", "fewest_rematches", "others", "without_rematches"]

Met = Mapping[str, AbstractSet[str]]
"""Whom each person has met, both ways and never themselves; nobody, for those who are missing."""

EXACT_PEOPLE = 10
"""People among whom all divisions are looked at: at most about 5,000 groups."""
MAX_EXCHANGES = 4_000
"""Exchanges that are tried; each takes about 2 microseconds."""

Known = Sequence[int]
"""For each person, the set of those whom they have met."""


def fewest_rematches(people: Sequence[str], sizes: Sequence[int], met: Met) -> list[list[str]]:
    """
    Groups of these sizes, with as few rematches as can be found.

    Parameters
    ----------
    people
        The people; those at the front are the last to be left over.
    sizes
        The sizes of the groups, in all at most the number of people.
    met
        Whom each person has met.
    """
    return _named(_fewest(_known(people, met), sizes), people)


def without_rematches(people: Sequence[str], sizes: Sequence[int], met: Met) -> list[list[str]]:
    """
    Groups of strangers: as many of these sizes as can be found.

    Parameters
    ----------
    people
        The people; those at the front are the last to be left over.
    sizes
        The sizes of the groups, largest first, in all at most the number of people.
    met
        Whom each person has met.
    """
    known = _known(people, met)
    find = _most_exactly if len(people) <= EXACT_PEOPLE else _most
    return _named(find(known, sizes), people)


def others(people: Iterable[str], groups: Iterable[Iterable[str]]) -> list[str]:
    """The people who are in none of the groups."""
    grouped = {person for group in groups for person in group}
    return [person for person in people if person not in grouped]


def _known(people: Sequence[str], met: Met) -> list[int]:
    bits = {person: 1 << n for n, person in enumerate(people)}
    backwards = people[::-1]
    return [_set_of(met.get(person, frozenset[str]()), bits, backwards) for person in people]


def _set_of(met: AbstractSet[str], bits: Mapping[str, int], backwards: Sequence[str]) -> int:
    """Those of the people who are in `met`."""
    if len(met) < len(bits) // 4:
        return sum(bits.get(person, 0) for person in met)
    digits = bytes(map(met.__contains__, backwards))  # the first person is the last digit
    return int(digits.translate(_DIGITS), base=2) if digits else 0


_DIGITS = bytes.maketrans(b"\0\1", b"01")


def _named(groups: Iterable[int], people: Sequence[str]) -> list[list[str]]:
    return [[people[person] for person in _members(group)] for group in groups]


def _members(group: int) -> Iterator[int]:
    """The people of a set, from the front."""
    while group:
        person = _first(group)
        yield person
        group ^= 1 << person


def _first(group: int) -> int:
    return (group & -group).bit_length() - 1


def _union(groups: Iterable[int]) -> int:
    return sum(groups)  # no person is in two


def _met_in(group: int, person: int, known: Known) -> int:
    """How many people of a group a person has met."""
    return (known[person] & group).bit_count()


def _rematches(group: int, known: Known) -> int:
    return sum(_met_in(group, person, known) for person in _members(group)) // 2


def _fewest(known: Known, sizes: Sequence[int]) -> list[int]:
    everybody = (1 << len(known)) - 1
    groups = _fill(everybody, sizes, known)
    if not any(_rematches(group, known) for group in groups):
        return groups
    if len(known) <= EXACT_PEOPLE:
        found = _search(everybody, tuple(sizes), known, len(known) ** 2)
        return found[1] if found else groups
    return _improved(groups, everybody - _union(groups), known)


def _fill(left: int, sizes: Iterable[int], known: Known) -> list[int]:
    """Each group gets the first of those left, then always who has met the fewest of it."""
    groups: list[int] = []
    for size in sizes:
        group, levels = 0, [left] * size
        for _ in range(size):
            person = _first(next(filter(None, levels)))
            group |= 1 << person
            levels = [level & ~group for level in _raised(levels, known[person])]
        groups.append(group)
        left &= ~group
    return groups


def _raised(levels: Sequence[int], met: int) -> list[int]:
    """
    Levels after one person more has joined a group.

    Parameters
    ----------
    levels
        The people who have met at most 0, 1, 2, ... of the group.
    met
        Whom the new person has met.
    """
    return [level & ~met | lower for lower, level in pairwise([0, *levels])]


def _improved(groups: list[int], rest: int, known: Known) -> list[int]:
    """The groups after all exchanges that were found to make rematches fewer."""
    places = [*groups, rest]
    budget = iter(range(MAX_EXCHANGES))
    while any(
        [
            _exchange(places, at, person, known, budget)
            for at in range(len(groups))
            for person in reversed(list(_members(places[at])))
            if _met_in(places[at], person, known)
        ]
    ):
        pass
    return places[:-1]


def _exchange(places: list[int], at: int, one: int, known: Known, budget: Iterator[int]) -> bool:
    """Exchange a person of the group `at` for the first with whom that helps, if there is one."""
    group = places[at] ^ 1 << one
    was = _met_in(group, one, known)
    better = [~places[at]] * was
    for person in _members(group):
        better = _raised(better, known[person])
    for there, place in enumerate(places):
        for other in _members(place & better[-1]):
            if next(budget, None) is None:
                return False
            gain = was - _met_in(group, other, known)
            if place is not places[-1]:  # those left over are together in nothing
                gain += _met_in(place, other, known) - _met_in(place ^ 1 << other, one, known)
            if gain > 0:
                places[at] ^= 1 << one | 1 << other
                places[there] ^= 1 << one | 1 << other
                return True
    return False


def _most_exactly(known: Known, sizes: Sequence[int]) -> list[int]:
    """Groups of strangers, as many as there can be."""
    for count in range(len(sizes), 0, -1):
        found = _search((1 << len(known)) - 1, tuple(sizes[:count]), known, 1)
        if found:
            return found[1]
    return []


def _most(known: Known, sizes: Sequence[int]) -> list[int]:
    """Groups of strangers: with the fewest rematches first, those that have any made anew."""
    groups = _fewest(known, sizes)
    kept = [group for group in groups if not _rematches(group, known)]
    broken = [group.bit_count() for group in groups if _rematches(group, known)]
    left = (1 << len(known)) - 1 - _union(kept)
    too_large = left.bit_count() + 1
    for size in broken:
        group = _group_of_strangers(left, size, known) if size < too_large else 0
        if group:
            kept.append(group)
            left ^= group
        else:
            too_large = min(size, too_large)
    return kept


def _group_of_strangers(people: int, size: int, known: Known) -> int:
    """The first group that has one person and then each next who has met nobody in it; or 0."""
    for person in _members(people):
        group = 1 << person
        strangers = people & ~(group | known[person])
        while strangers and group.bit_count() < size:
            person = _first(strangers)
            group |= 1 << person
            strangers &= ~(group | known[person])
        if group.bit_count() == size:
            return group
    return 0


def _search(
    people: int, sizes: tuple[int, ...], known: Known, limit: int
) -> tuple[int, list[int]] | None:
    """
    The fewest rematches, and the first division that has them; None: not fewer than `limit`.

    The first person is in a group with each choice of others in turn, or else left over.
    """
    if not sizes:
        return (0, []) if limit > 0 else None
    if limit <= 0 or sum(sizes) > people.bit_count():
        return None
    best: tuple[int, list[int]] | None = None
    for group, later in _first_groups(people, sizes):
        cost = _rematches(group, known)
        if cost < limit and (found := _search(people ^ group, later, known, limit - cost)):
            limit = cost + found[0]
            best = limit, [group, *found[1]]
        if limit == 0:
            break
    return _search(people & (people - 1), sizes, known, limit) or best


def _first_groups(people: int, sizes: tuple[int, ...]) -> Iterator[tuple[int, tuple[int, ...]]]:
    """Each group that the first person can be in, and the sizes of the other groups."""
    first, *rest = (1 << person for person in _members(people))
    for at, size in enumerate(sizes):
        if size not in sizes[:at]:
            for with_whom in combinations(rest, size - 1):
                yield first | _union(with_whom), sizes[:at] + sizes[at + 1 :]
