"""Conditions, and the rounds of groups, as columns. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import orjson

from shiny_labchat.domain.study import Group

__all__ = ["levels_of", "round_of"]


def levels_of(condition: Any, factors: Sequence[str]) -> tuple[str | None, ...]:
    """The level of each factor in a condition; None: it does not have the factor."""
    if not factors:
        return ()
    given = cast("Mapping[str, Any]", condition if isinstance(condition, Mapping) else {})
    return tuple(_level(given.get(factor)) for factor in factors)


def round_of(group: Group | None) -> tuple[int | None, int | None]:
    """The numbers of the round and of the cohort of a group; None: it has none."""
    return (None, None) if group is None else (group.round or None, group.cohort or None)


def _level(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return orjson.dumps(value).decode()
