"""What the app's own functions propose for a lobby, checked by its rules. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from shiny_labchat.domain.commands.lobby import Advance, NextRound, Ready
from shiny_labchat.domain.grouping import (
    Cell,
    Group,
    Waiting,
    check_cell,
    check_condition,
    check_groups,
)
from shiny_labchat.domain.lobby_settings import BY_APP, LobbySettings
from shiny_labchat.errors import Refused

__all__ = [
    "Unproposed",
    "cell_proposed",
    "first_round_proposed",
    "groups_proposed",
    "round_proposed",
    "steps_proposed",
]


class Unproposed(Refused):
    """
    A rule needs a proposal of the app's, which the command does not have.

    Parameters
    ----------
    what
        "groups", "cells", "timeouts" or "rounds", as in `Advance` and `NextRound`.
    people
        The ids of the people whom it is about.
    """

    def __init__(self, what: str, people: Sequence[str]) -> None:
        self.what = what
        self.people = tuple(people)
        super().__init__("not_grouped", detail=what)


def groups_proposed(command: Advance, here: Sequence[str], least: int) -> Sequence[Sequence[str]]:
    """The groups that the app's function proposes, if at least so many people are here."""
    if command.groups is None and len(here) >= least:
        raise Unproposed("groups", here)
    return command.groups or ()


def cell_proposed(settings: LobbySettings, command: Advance | Ready, people: Sequence[str]) -> Cell:
    """The condition that the app's function proposes for a group."""
    group = frozenset(people)
    if command.cells is None or group not in command.cells:
        raise Unproposed("cells", people)
    proposal: Any = command.cells[group]
    try:
        if settings.conditions == BY_APP:
            return check_condition(proposal)
        return check_cell(settings.cells, proposal)
    except (TypeError, ValueError) as exc:
        raise Refused("not_grouped", detail=str(exc)) from exc


def first_round_proposed(
    settings: LobbySettings, command: Advance | Ready, people: Sequence[str]
) -> list[Group]:
    """The groups of a cohort's first round that the app's function proposes."""
    whole = frozenset(people)
    if command.divisions is None or whole not in command.divisions:
        raise Unproposed("rounds", people)
    return _round_of(settings, command.divisions[whole], people)


def round_proposed(
    settings: LobbySettings, command: NextRound, people: Sequence[str]
) -> list[Group]:
    """The groups of a cohort's next round that the app's function proposes."""
    if command.groups is None:
        raise Unproposed("rounds", people)
    return _round_of(settings, command.groups, people)


def _round_of(settings: LobbySettings, groups: object, people: Sequence[str]) -> list[Group]:
    waiting = [Waiting(person, 0) for person in people]
    return check_groups(groups, waiting, settings.size_in_rounds, "rematch")


def steps_proposed(settings: LobbySettings, command: Advance, person: str) -> list[str]:
    """What is tried for somebody who has waited long enough; functions are replaced."""
    if BY_APP not in settings.on_timeout:
        return list(settings.on_timeout)
    if command.timeouts is None or person not in command.timeouts:
        raise Unproposed("timeouts", [person])
    proposals = iter(command.timeouts[person])
    steps = (next(proposals, None) if each == BY_APP else each for each in settings.on_timeout)
    return [each for each in steps if each is not None]
