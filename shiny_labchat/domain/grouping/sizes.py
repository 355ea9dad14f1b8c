"""How large groups are. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple, cast

from shiny_labchat.arguments import check_count

__all__ = ["GroupSize", "Leftover", "group_sizes"]

Leftover = Literal["spread", "small", "wait"]
"""What becomes of the people who are left over when groups of the ideal size are made."""


class GroupSize(NamedTuple):
    """
    The sizes that a lobby's groups may have.

    Parameters
    ----------
    min
        People in the smallest group that is allowed.
    ideal
        People in a group where there is a choice.
    max
        People in the largest group that is allowed.
    """

    min: int
    ideal: int
    max: int

    @classmethod
    def of(cls, value: object) -> GroupSize:
        """
        Check the argument `group_size`; return it as its three numbers.

        Parameters
        ----------
        value
            A whole number, for groups of exactly this size, or ``(min, ideal, max)``.
        """
        three = _three(value)
        for number in three:
            check_count("group_size", number, 1)
        size = cls(*three)
        if not size.min <= size.ideal <= size.max:
            raise ValueError(f"group_size must have min <= ideal <= max, not {value!r}")
        return size

    @property
    def is_fixed(self) -> bool:
        """Whether all groups have the same size."""
        return self.min == self.max

    def allows(self, people: int) -> bool:
        """Whether a group of so many people may be."""
        return self.min <= people <= self.max

    def __str__(self) -> str:
        return str(self.ideal) if self.is_fixed else f"{self.min} to {self.max}"


def _three(value: object) -> Sequence[Any]:
    if not isinstance(value, list | tuple):
        if isinstance(value, bool) or not isinstance(value, int):
            wanted = "a whole number or (min, ideal, max)"
            raise TypeError(f"group_size must be {wanted}, not {value!r}")
        return (value, value, value)
    three = cast("Sequence[Any]", value)
    if len(three) != 3:
        raise ValueError(f"group_size must be one number or (min, ideal, max), not {value!r}")
    return three


def group_sizes(people: int, size: GroupSize, leftover: Leftover) -> list[int]:
    """
    The sizes of the groups that so many people make, largest first.

    Parameters
    ----------
    people
        The number of people.
    size
        The sizes that are allowed.
    leftover
        What becomes of those who are left over beside groups of the ideal size. "spread": all
        groups are made a little larger or smaller, such that as few people as possible are left
        over. "small": they are a smaller group, if they are enough for one. "wait": they wait.

    Returns
    -------
    list of int
        Its sum is less than `people` where some are left over. With "spread", of all ways to leave
        so few over it is the one with the smallest sum of squared differences from the ideal size,
        and of these the one with more groups.
    """
    if leftover == "spread":
        return _spread(people, size)
    full, rest = divmod(people, size.ideal)
    return [size.ideal] * full + [rest] * (leftover == "small" and rest >= size.min)


def _spread(people: int, size: GroupSize) -> list[int]:
    for grouped in range(people, 0, -1):
        fewest, most = -(-grouped // size.max), grouped // size.min
        if fewest <= most:
            counts = range(most, fewest - 1, -1)
            return _even(grouped, min(counts, key=lambda count: _error(grouped, count, size)))
    return []


def _error(people: int, groups: int, size: GroupSize) -> int:
    """The sum of the squared differences from the ideal size."""
    each, more = divmod(people, groups)
    return more * (each + 1 - size.ideal) ** 2 + (groups - more) * (each - size.ideal) ** 2


def _even(people: int, groups: int) -> list[int]:
    """Sizes that differ by one at most: no others of as many groups are nearer to the ideal."""
    each, more = divmod(people, groups)
    return [each + 1] * more + [each] * (groups - more)
