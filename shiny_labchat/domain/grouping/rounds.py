"""Who is with whom in the next round of a cohort. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Literal, NamedTuple

from shiny_labchat.domain.grouping.draws import shuffled
from shiny_labchat.domain.grouping.matching import Group
from shiny_labchat.domain.grouping.perfect import perfect_rounds
from shiny_labchat.domain.grouping.rematches import Met, fewest_rematches
from shiny_labchat.domain.grouping.sizes import GroupSize, group_sizes

__all__ = ["Rematch", "Round", "Short", "divide", "sizes_in_round", "smallest"]

Rematch = Literal["partners", "strangers", "perfect"]
"""
Who is with whom from round to round.

"partners": the groups stay as they are. "strangers": they are drawn anew, and nobody is with
somebody of their last group where that is possible. "perfect": nobody meets anybody twice.
"""

Short = Literal["smaller", "sit_out", "stand_in", "end"]
"""What becomes of the others where somebody is gone, see `Lobby`."""


class Round(NamedTuple):
    """
    What a round of a cohort is drawn from.

    Parameters
    ----------
    number
        The number of the round, from 1.
    places
        The ids of all who have ever been in the cohort, in the order drawn for it.
    here
        The ids of those who still are.
    last
        The groups of the round before.
    sat
        By id, how often somebody has had no group in a round.
    """

    number: int
    places: Sequence[str]
    here: Collection[str]
    last: Sequence[Sequence[str]] = ()
    sat: Mapping[str, int] = {}


def smallest(size: GroupSize, short: Short, parts: int, fills: int = 0) -> int:
    """
    How many people are a group at least, where some are gone.

    Parameters
    ----------
    size
        The sizes that groups may have when nobody is gone.
    short
        What becomes of the others.
    parts
        How many parts a group has, of which each must be played.
    fills
        How many places of a group bots can fill.
    """
    match short:
        case "smaller":
            return min(size.min, max(2, parts))
        case "stand_in":
            return max(1, size.min - fills)
        case _:
            return size.min


def sizes_in_round(people: int, size: GroupSize, least: int) -> list[int]:
    """
    The sizes of the groups that so many people make in a round.

    Only if somebody would be left over, there are groups smaller than usual.

    Parameters
    ----------
    people
        The number of people.
    size
        The sizes that groups may have when nobody is gone.
    least
        How many people are a group at least, where some are gone.
    """
    sizes = group_sizes(people, size, "spread")
    if sum(sizes) == people or least == size.min:
        return sizes
    return group_sizes(people, size._replace(min=least), "spread")


def divide(
    round: Round, rematch: Rematch, size: GroupSize, least: int, seed: str, cohort: int
) -> list[Group]:
    """
    The groups of a round; whoever is in none of them has none in this round.

    Parameters
    ----------
    round
        What it is drawn from.
    rematch
        Who is with whom from round to round.
    size, least
        As in `sizes_in_round`.
    seed, cohort
        The lobby's seed, and the number of the cohort.
    """
    purpose = cohort, round.number
    match rematch:
        case "partners" if round.last:
            left = [_here(group, round) for group in round.last]
            return [group for group in left if group]
        case "perfect":
            design = perfect_rounds(len(round.places), size.ideal)[round.number - 1]
            groups = [[round.places[place] for place in group] for group in design]
            left = [_here(group, round) for group in groups]
            return [group for group in left if len(group) >= least]
        case _:
            sizes = sizes_in_round(len(round.here), size, least)
            return _strangers(round, sizes, seed, *purpose)


def _here(group: Sequence[str], round: Round) -> Group:
    return tuple(person for person in group if person in round.here)


def _strangers(round: Round, sizes: list[int], seed: str, *purpose: object) -> list[Group]:
    people = shuffled(_here(round.places, round), seed, "round", *purpose)
    people.sort(key=lambda person: -round.sat.get(person, 0))  # others sit out now
    drawn = shuffled(people[: sum(sizes)], seed, "strangers", *purpose)
    last = [group for group in (_here(each, round) for each in round.last) if len(group) > 1]
    groups = fewest_rematches(drawn, sizes, _met_in(last))
    if _are_strangers(groups, last):
        return list(map(tuple, groups))
    return list(map(tuple, _dealt(drawn, sizes, last) or groups))


def _met_in(groups: Sequence[Group]) -> Met:
    return {person: frozenset(group) - {person} for group in groups for person in group}


def _are_strangers(groups: Sequence[Sequence[str]], last: Sequence[Group]) -> bool:
    return all(len(set(group) & set(old)) < 2 for group in groups for old in last)


def _dealt(
    people: Sequence[str], sizes: Sequence[int], last: Sequence[Group]
) -> list[list[str]] | None:
    """
    Groups in which nobody is with somebody of their last one; None: that is not possible.

    It is possible if there is a table of zeros and ones with these sums of rows (the last groups)
    and of columns (the new ones). If there is one, it is found by filling each row where most is
    missing (D. Gale, "A theorem on flows in networks", and H. J. Ryser, "Combinatorial properties
    of matrices of zeros and ones", 1957).
    """
    rows = [[person for person in people if person in group] for group in last]
    known = {person for row in rows for person in row}
    rows = [row for row in rows if row] + [[each] for each in people if each not in known]
    rows.sort(key=lambda row: (-len(row), people.index(row[0])))
    groups: list[list[str]] = [[] for _ in sizes]
    missing = dict(enumerate(sizes))
    for row in rows:
        free = sorted((at for at in missing if missing[at]), key=lambda at: -missing[at])
        if len(free) < len(row):
            return None
        for person, at in zip(row, free, strict=False):
            groups[at].append(person)
            missing[at] -= 1
    return groups
