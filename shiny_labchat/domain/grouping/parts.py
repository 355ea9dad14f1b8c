"""Parts that the people of a group play, such as buyer and seller. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest
from typing import Any, cast

from shiny_labchat.arguments import as_id, check_count
from shiny_labchat.domain.grouping.sizes import GroupSize

__all__ = ["assign_parts", "check_parts"]


def check_parts(parts: object, size: GroupSize) -> None:
    """
    Check the argument `parts`: how many people of a group have which part.

    Groups of one size name a part for each person. Where sizes differ, the smallest group must
    have all parts, too, and whoever is left in a larger group has none.

    Parameters
    ----------
    parts
        Such as ``{"buyer": 1, "seller": 1}``; None: no parts.
    size
        The sizes of the lobby's groups.
    """
    if parts is None:
        return
    if not isinstance(parts, Mapping) or not parts:
        example = '{"buyer": 1, "seller": 1}'
        raise TypeError(f"parts must be a mapping such as {example}, or None, not {parts!r}")
    counts = cast("Mapping[Any, Any]", parts)
    for part, count in counts.items():
        as_id("the name of a part in parts", part)
        check_count(f"parts[{part!r}]", count, 1)
    _check_sum(sum(counts.values()), size)


def _check_sum(total: int, size: GroupSize) -> None:
    people = "1 person" if total == 1 else f"{total} people"
    if size.is_fixed and total != size.ideal:
        raise ValueError(
            f"parts are for {people}, but groups have {size.ideal}: name a part for each person"
        )
    if total > size.min:
        raise ValueError(
            f"parts are for {people}, but groups have {size} people, and the smallest must have "
            f"all parts, too: name at most {size.min}; the others in a larger group have no part"
        )


def assign_parts(
    parts: Mapping[str, int] | None, people_in_order: Sequence[str]
) -> dict[str, str | None]:
    """
    The part of each person of a group, in the order of `draw_order`.

    Parameters
    ----------
    parts
        Such as ``{"buyer": 1, "seller": 1}``; None: nobody has a part.
    people_in_order
        The ids of the people; the last parts are not played if there are more of them.
    """
    every = [part for part, count in (parts or {}).items() for _ in range(count)]
    return dict(zip_longest(people_in_order, every[: len(people_in_order)]))
