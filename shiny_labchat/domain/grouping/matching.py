"""Who is grouped with whom, and when. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, cast

from shiny_labchat.domain.grouping.draws import shuffled
from shiny_labchat.domain.grouping.rematches import (
    Met,
    fewest_rematches,
    others,
    without_rematches,
)
from shiny_labchat.domain.grouping.sizes import GroupSize, Leftover, group_sizes
from shiny_labchat.errors import Refused

__all__ = ["Avoid", "Division", "Group", "Pick", "Waiting", "check_groups", "propose", "spread"]

Pick = Literal["arrival", "random"]
"""Who of those waiting is grouped: who came first, or whoever is drawn."""

Avoid = Literal["prefer", "never"] | None
"""Whether people who have met are put together only if there is no other way, never, or freely."""

Group = tuple[str, ...]
"""The ids of the people of a group."""


class Waiting(NamedTuple):
    """
    Somebody who waits in a lobby.

    Parameters
    ----------
    person
        The person's id.
    since
        When they began to wait, in microseconds since 1970 (UTC).
    """

    person: str
    since: int


class Division(NamedTuple):
    """
    People divided into groups.

    Parameters
    ----------
    groups
        The groups.
    left
        Who is in none of them, in the order in which they were given.
    """

    groups: list[Group]
    left: list[str]


def propose(
    waiting: Sequence[Waiting],
    size: GroupSize,
    *,
    pick: Pick,
    batch: int | None,
    avoid: Avoid,
    met: Met,
    settle: float,
    now: int,
    seed: str,
    number: int,
) -> list[Group]:
    """
    The groups that can be made now.

    As many groups of the ideal size are made as there are people for; never larger ones. Those
    left over are one smaller group as soon as the smallest group that is allowed could have been
    made of them for `settle` seconds.

    Parameters
    ----------
    waiting
        Who waits, in the order of the queue: the front first.
    size
        The sizes that groups may have.
    pick
        "arrival": from the front of the queue. "random": in an order that is drawn.
    batch
        People who are waited for, to be divided into groups at random, as `spread` does; whoever
        is left over waits for the next batch. `pick` and `settle` are not used. None: groups are
        made one by one.
    avoid
        "prefer": as many people are grouped as without it, with as few rematches as can be found.
        "never": there are no rematches. None: it does not matter who has met.
    met
        Whom each person has met.
    settle
        Seconds.
    now
        The time, in microseconds since 1970 (UTC).
    seed
        The lobby's seed.
    number
        The number of the next group in its lobby, from 1: it gives each draw a result of its own.
    """
    if batch is not None:
        people = [each.person for each in waiting]
        return _batches(people, size, batch, seed, number, avoid, met)
    queue = _queue(waiting, pick, seed, number)
    full = [size.ideal] * (len(queue) // size.ideal)
    rest = queue[sum(full) :]
    before = now - int(settle * 1_000_000)
    if avoid == "never":
        return _propose_strangers(queue, full, size, met, before)
    small = [len(rest)] * _has_settled(rest, size, before)
    people = [each.person for each in queue]
    return _divided(people, full + small, avoid, met)


def _batches(
    people: list[str], size: GroupSize, batch: int, seed: str, number: int, avoid: Avoid, met: Met
) -> list[Group]:
    groups: list[Group] = []
    for start in range(0, len(people) - batch + 1, batch):
        these, at = people[start : start + batch], number + len(groups)
        groups += spread(these, size, "spread", seed, at, avoid=avoid, met=met).groups
    return groups


def _queue(waiting: Sequence[Waiting], pick: Pick, seed: str, number: int) -> Sequence[Waiting]:
    if pick == "arrival":
        return waiting
    by_person = {each.person: each for each in waiting}
    return [by_person[person] for person in shuffled(by_person, seed, "pick", number)]


def _has_settled(people: Iterable[Waiting], size: GroupSize, before: int) -> bool:
    """Whether enough people for the smallest group have waited since `before`."""
    return sum(each.since <= before for each in people) >= size.min


def _propose_strangers(
    queue: Sequence[Waiting], full: list[int], size: GroupSize, met: Met, before: int
) -> list[Group]:
    by_person = {each.person: each for each in queue}
    groups = without_rematches(list(by_person), full, met)
    smaller = range(size.ideal - 1, size.min - 1, -1)
    for group in _groups_of_strangers(others(by_person, groups), smaller, met):
        if _has_settled((by_person[person] for person in group), size, before):
            groups.append(group)
    return list(map(tuple, groups))


def _groups_of_strangers(people: list[str], sizes: Iterable[int], met: Met) -> list[list[str]]:
    """Of each size in turn, as many groups of those left as can be found."""
    groups: list[list[str]] = []
    for size in sizes:
        left = others(people, groups)
        groups += without_rematches(left, [size] * (len(left) // size), met)
    return groups


def _divided(people: Sequence[str], sizes: list[int], avoid: Avoid, met: Met) -> list[Group]:
    known: Met = met if avoid == "prefer" else {}
    return list(map(tuple, fewest_rematches(people, sizes, known)))


def spread(
    people: Sequence[str],
    size: GroupSize,
    leftover: Leftover,
    seed: str,
    number: int = 1,
    *,
    avoid: Avoid = None,
    met: Met | None = None,
) -> Division:
    """
    Everybody who is here, divided into groups at random.

    Parameters
    ----------
    people
        The ids of the people, in the order of the queue: of more people than can be grouped, the
        last are left over.
    size
        The sizes that groups may have.
    leftover
        What becomes of those left over beside groups of the ideal size, see `group_sizes`.
    seed
        The lobby's seed.
    number
        The number of the first of the groups in its lobby.
    avoid, met
        As in `propose`.
    """
    sizes = group_sizes(len(people), size, leftover)
    known = met or {}
    if avoid == "never":
        drawn = shuffled(people, seed, "spread", number)
        groups = _spread_strangers(drawn, sizes, size, leftover, known)
    else:
        drawn = shuffled(people[: sum(sizes)], seed, "spread", number)
        groups = _divided(drawn, sizes, avoid, known)
    return Division(groups, others(people, groups))


def _spread_strangers(
    people: list[str], sizes: list[int], size: GroupSize, leftover: Leftover, met: Met
) -> list[Group]:
    groups = without_rematches(people, sizes, met)
    smallest = size.ideal if leftover == "wait" else size.min
    smaller = range(size.ideal, smallest - 1, -1)
    groups += _groups_of_strangers(others(people, groups), smaller, met)
    return list(map(tuple, groups))


def check_groups(
    groups: object, waiting: Iterable[Waiting], size: GroupSize, what: str = "pick"
) -> list[Group]:
    """
    Check the groups that a function of the app's has returned; return them.

    Parameters
    ----------
    groups
        A list of groups, each a list of the ids of people; an empty list: nobody is grouped now.
    waiting
        Who waits now, which may be others than when the function was called.
    size
        The sizes that groups may have.
    what
        The function, as the lobby's argument is called.

    Raises
    ------
    Refused
        With the code "not_grouped", and what is wrong in words.
    """
    checked = [_as_group(group, what) for group in _as_list(groups, "a list of groups", what)]
    here = {each.person for each in waiting}
    seen: set[str] = set()
    for group in checked:
        if not size.allows(len(group)):
            raise _not_grouped(f"A group has {size} people, but one was given {len(group)}")
        for person in group:
            if person in seen:
                raise _not_grouped("Nobody can be grouped twice", person)
            if person not in here:
                raise _not_grouped("Only those who wait can be grouped", person)
            seen.add(person)
    return checked


def _as_group(group: object, what: str) -> Group:
    people = _as_list(group, "a list of people's ids as each group", what)
    for person in people:
        if not isinstance(person, str):
            raise _not_grouped(f"{what} must return people's ids as text, not {person!r}")
    return tuple(people)


def _as_list(value: object, wanted: str, what: str) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        raise _not_grouped(f"{what} must return {wanted}, not {value!r}")
    return cast("Sequence[Any]", value)


def _not_grouped(detail: str, person: str | None = None) -> Refused:
    return Refused("not_grouped", detail=f"{detail}.", member=person)
