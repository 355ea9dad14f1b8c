"""The rule for the next round of a cohort. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import cast

from shiny_labchat.domain.commands import Close
from shiny_labchat.domain.commands.lobby import NextRound
from shiny_labchat.domain.decide.forming import begin_round
from shiny_labchat.domain.decide.in_lobby import InLobby
from shiny_labchat.domain.decide.proposals import round_proposed
from shiny_labchat.domain.decide.together import Decided, RuleTogether
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.grouping import Group, Round, divide
from shiny_labchat.domain.lobby_settings import BY_APP
from shiny_labchat.domain.logs import States
from shiny_labchat.domain.rounds import is_over, late_in
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.study import Cohort

__all__ = ["RULES"]


def _next_round(states: States, command: NextRound, at: int) -> Decided:
    """
    End a round that is over, and begin the next one with those who are left.

    Who is late and has done nothing ends with "idle". If those who are left cannot be grouped, they
    are led out.
    """
    its = InLobby.of(states, command, at)
    cohort = its.people.cohorts.get((command.lobby, command.cohort))
    if cohort is None or cohort.round != command.after or cohort.round >= cohort.rounds:
        return its.decided
    if not (command.is_forced or is_over(its.people, cohort, at)):
        return its.decided
    its.decided.need(LogKey(its.log.study, room) for room in cohort.rooms)
    for person in () if command.is_forced else _late(its, cohort):
        _end(its, person, "idle")
    if its.settings.short == "end":
        for person in _of_short_groups(its, cohort):
            _end(its, person, "group_dissolved")
    here = its.people.still_in(cohort)
    found = next(_rounds(its, cohort, here, command), None)
    for room in cohort.rooms:
        its.decided.run(LogKey(its.log.study, room), Close("round_over"))
    if found is None:
        for person in here:
            _end(its, person, "group_dissolved")
        return its.decided
    number, groups = found
    how = {"seed": its.seed, "block": cohort.block}
    begin_round(its, cohort._replace(round=number), here, groups, how, command.random)
    return its.decided


def _late(its: InLobby, cohort: Cohort) -> list[str]:
    """Those who are late and have neither recorded nor written anything for a while."""
    at = its.decided.at
    late = late_in(its.people, cohort, at)
    return [person for person in late if _last_wrote(its, person) <= at - cohort.within]


def _last_wrote(its: InLobby, person: str) -> int:
    room = LogKey(its.log.study, its.people.people[person].room or "")
    membership = cast(RoomState, its.decided.now(room)).memberships.get(person)
    return 0 if membership is None else membership.spoke


def _end(its: InLobby, person: str, reason: str) -> None:
    """End somebody's part, if that of another one has not ended it already."""
    if its.people.people[person].ended is None:
        its.end(person, reason)


def _of_short_groups(its: InLobby, cohort: Cohort) -> list[str]:
    """Those of the round's groups that have lost somebody."""
    study = its.people
    groups = [study.groups[room] for room in cohort.rooms]
    left = [(group, study.taking_part(group.room)) for group in groups]
    return [each.person for group, some in left if len(some) < len(group.people) for each in some]


def _rounds(
    its: InLobby, cohort: Cohort, here: Sequence[str], command: NextRound
) -> Iterator[tuple[int, Sequence[Group]]]:
    """The next round in which anybody has a group, and its groups; nothing: there is none."""
    for number in range(cohort.round + 1, cohort.rounds + 1) if here else ():
        groups = _divided(its, cohort, number, here, command)
        if groups:
            yield number, groups


def _divided(
    its: InLobby, cohort: Cohort, number: int, here: Sequence[str], command: NextRound
) -> Sequence[Group]:
    settings, study = its.settings, its.people
    last = [study.groups[room].people for room in cohort.rooms]
    if settings.rematch == BY_APP and len(here) >= settings.least:
        return round_proposed(settings, command, here)
    drawn = Round(number, cohort.people, frozenset(here), last, cohort.sat)
    how = settings.rematches, settings.size, settings.least
    return divide(drawn, *how, its.seed, cohort.number)


RULES: dict[type, RuleTogether] = {NextRound: _next_round}
