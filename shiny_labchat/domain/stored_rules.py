"""Rules as a log has them: also those of a newer version, and values that are refused. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, replace
from functools import lru_cache
from types import MappingProxyType
from typing import Any

from shiny_labchat.domain.rules import Rules

__all__ = ["NO_RULES", "with_rules"]

NO_RULES: Mapping[str, Any] = MappingProxyType({})
RULES_SHARED = 1_000
"""How many rules of rooms, each different, are remembered to be shared: 400 bytes each."""
_NAMES = frozenset(each.name for each in fields(Rules))


def with_rules(
    rules: Rules, given: Mapping[str, Any], unknown: Mapping[str, Any] = NO_RULES
) -> tuple[Rules, dict[str, Any]]:
    """
    Some rules with those of an event, and the unknown ones.

    Parameters
    ----------
    rules, unknown
        The rules before, and those among them that this version does not know, or refuses.
    given
        Those of the event, by name.
    """
    others = {name: value for name, value in given.items() if not _has(rules, name, value)}
    left = {name: value for name, value in unknown.items() if name not in given}
    if not others:
        return rules, left
    try:
        return _shared(replace(rules, **others)), left
    except (TypeError, ValueError):  # there is no such rule here, or it refuses the value
        pass
    for name, value in others.items():
        try:
            rules = replace(rules, **{name: value})
        except (TypeError, ValueError):
            left[name] = value
    return _shared(rules), left


def _has(rules: Rules, name: str, value: Any) -> bool:
    return name in _NAMES and getattr(rules, name) == value


@lru_cache(RULES_SHARED)
def _shared(rules: Rules) -> Rules:
    """The one object for all equal rules: thousands of rooms have the same."""
    return rules
