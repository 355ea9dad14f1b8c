"""
Cells: the combinations of conditions that groups are drawn for, and the draw itself. Pure.

The draw "block" gives, as long as no group is dissolved, randomly permuted blocks: each block has
every cell once (K. F. Schulz and D. A. Grimes, "Generation of allocation sequences in randomised
trials", The Lancet 359, 2002).
"""

from __future__ import annotations

import json
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, cast

from shiny_labchat.arguments import as_id
from shiny_labchat.domain.grouping.draws import draw_below
from shiny_labchat.storable import storable

__all__ = ["Balance", "Cell", "Draw", "cells", "check_cell", "check_condition", "draw_cell"]

Cell = str | dict[str, Any] | None
"""A condition as text; a value for each of several factors; None: there are no conditions."""

Balance = Literal["block", "rotate", "random"]
"""How cells are drawn, see `draw_cell`."""


def cells(conditions: object) -> list[Cell]:
    """
    Check the argument `conditions`; return its cells, always in the same order.

    Parameters
    ----------
    conditions
        A list of texts; or a mapping of factors to lists of JSON values, each of which is crossed
        with the others, the last factor changing fastest; or None.
    """
    if conditions is None:
        return [None]
    if isinstance(conditions, Mapping):
        return _crossed(cast("Mapping[Any, Any]", conditions))
    return [as_id("a condition", value) for value in _levels("conditions", conditions)]


def _crossed(factors: Mapping[Any, Any]) -> list[Cell]:
    if not factors:
        raise ValueError("conditions must have at least one factor, not {}; write None for none")
    names = [as_id("the name of a factor in conditions", name) for name in factors]
    levels = [_levels(f"conditions[{name!r}]", values) for name, values in factors.items()]
    return [dict(zip(names, values, strict=True)) for values in product(*levels)]


def _levels(what: str, values: object) -> list[Any]:
    if not isinstance(values, list | tuple):
        raise TypeError(f"{what} must be a list, not {values!r}")
    levels = [_as_json(what, value) for value in cast("Sequence[object]", values)]
    if not levels:
        raise ValueError(f"{what} must have at least one value, not none")
    keys = [_key(level) for level in levels]
    for n, key in enumerate(keys):
        if key in keys[:n]:
            raise ValueError(f"{what} must have each value once, but has {levels[n]!r} twice")
    return levels


def _as_json(what: str, value: object) -> Any:
    try:
        plain = json.loads(json.dumps(value, allow_nan=False))
    except (TypeError, ValueError) as exc:
        raise TypeError(f"{what} must have JSON values, not {value!r}") from exc
    if not _key(value) == _key(plain) == _key(storable(plain)):
        raise TypeError(f"{what} has {value!r}, which would not be the same in a database")
    return plain


def _key(value: Any) -> Hashable:
    """Equal for equal JSON values: True is not 1, but 1.0 is."""
    if isinstance(value, bool):
        return ("bool", value)
    if isinstance(value, Mapping):
        fields = cast("Mapping[Any, Any]", value)
        return ("object", frozenset((name, _key(field)) for name, field in fields.items()))
    if isinstance(value, list | tuple):
        return ("array", *map(_key, cast("Sequence[Any]", value)))
    return value if isinstance(value, Hashable) else ("other", id(value))


@dataclass(frozen=True, slots=True)
class Draw:
    """
    A cell that was drawn for a group, and all that is needed to draw it again.

    Parameters
    ----------
    cell
        The cell.
    balance, seed, number, counts
        What it was drawn with, see `draw_cell`.
    block
        The block that the group belongs to, from 1: in "block" the first in which the cell was
        still to be had, so that a group in the place of a dissolved one belongs to the block of
        that one. None: there are no blocks in "random".
    """

    cell: Cell
    balance: Balance
    seed: str
    number: int
    counts: tuple[int, ...]
    block: int | None

    @property
    def record(self) -> dict[str, Any]:
        """What the log keeps of it; `draw_cell` draws the cell again from it."""
        return {
            "balance": self.balance,
            "seed": self.seed,
            "number": self.number,
            "counts": list(self.counts),
        }


def draw_cell(
    cells: Sequence[Cell], counts: Iterable[int], balance: Balance, seed: str, number: int
) -> Draw:
    """
    Draw the cell of a new group.

    Parameters
    ----------
    cells
        The cells, in the order of `cells`.
    counts
        For each cell, the groups that count in it. A group that was dissolved does not: its place
        is drawn again.
    balance
        "block": among the cells with the fewest groups, with equal chances. "rotate": one after
        the other by the number of the group, whatever has been dissolved. "random": among all.
    seed
        The lobby's seed.
    number
        The number of the group in its lobby, from 1.
    """
    counted = tuple(counts)
    assert len(counted) == len(cells) and number > 0
    if balance == "rotate":
        turn, at = divmod(number - 1, len(cells))
        return Draw(cells[at], balance, seed, number, counted, turn + 1)
    fewest = min(counted)
    among = range(len(cells))
    if balance == "block":
        among = [at for at in among if counted[at] == fewest]
    at = among[draw_below(len(among), seed, "cell", number)]
    block = fewest + 1 if balance == "block" else None
    return Draw(cells[at], balance, seed, number, counted, block)


def check_cell(cells: Sequence[Cell], proposal: object) -> Cell:
    """
    Check that what the app's function `balance` returned is one of the cells; return the cell.

    Parameters
    ----------
    cells
        The cells.
    proposal
        What was returned.
    """
    key = _key(proposal)
    for cell in cells:
        if _key(cell) == key:
            return cell
    choices = ", ".join(map(repr, cells))
    raise ValueError(f"balance must return one of the conditions, {choices}, not {proposal!r}")


def check_condition(proposal: object) -> Cell:
    """
    Check that what the app's function `conditions` returned is a condition; return it.

    Parameters
    ----------
    proposal
        What was returned: text, or a mapping of factors to JSON values.
    """
    if isinstance(proposal, Mapping):
        factors = cast("Mapping[Any, Any]", proposal)
        return _crossed({name: [value] for name, value in factors.items()})[0]
    return as_id("what conditions returns", proposal)
