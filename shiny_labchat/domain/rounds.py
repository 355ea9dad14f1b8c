"""How far the people of a cohort are in their round. Pure."""

from __future__ import annotations

from typing import NamedTuple

from shiny_labchat.domain.study import Cohort, StudyState

__all__ = [
    "Waits",
    "awaited_in",
    "goes_on",
    "has_no_group",
    "is_over",
    "late_in",
    "waits_in",
]


def awaited_in(study: StudyState, cohort: Cohort) -> list[str]:
    """
    Those of a round's groups who have not recorded what ends the round.

    In a group that is dissolved nobody is waited for.
    """
    return [
        person.person
        for room in cohort.rooms
        if study.groups[room].dissolved is None
        for person in study.taking_part(room)
        if not has_ended(study, cohort, person.person)
    ]


def has_ended(study: StudyState, cohort: Cohort, person: str) -> bool:
    """Whether somebody has recorded in this round what ends it."""
    room = study.people[person].room or ""
    return cohort.next_on in study.recorded.get(room, {}).get(person, {})


def is_over(study: StudyState, cohort: Cohort, at: int) -> bool:
    """Whether a round is over: nobody is waited for, or not any longer."""
    return (cohort.until is not None and at >= cohort.until) or not awaited_in(study, cohort)


def late_in(study: StudyState, cohort: Cohort, at: int) -> list[str]:
    """
    Those who are waited for and have done nothing for as long as the others wait.

    Who waits for the others of their group, or has only just gone on, is not late.
    """
    since = at - cohort.within
    return [each for each in awaited_in(study, cohort) if not _did_something(study, each, since)]


def _did_something(study: StudyState, person: str, since: int) -> bool:
    room = study.people[person].room or ""
    theirs = study.recorded.get(room, {}).get(person, {})
    if any(each.at > since for each in theirs.values()):
        return True
    barriers = ((kind, each) for (of, kind), each in study.barriers.items() if of == room)
    return any(
        kind in theirs if barrier.met is None else barrier.met_at > since
        for kind, barrier in barriers
    )


def goes_on(study: StudyState, room: str) -> bool:
    """Whether the people of a group that is dissolved are in a group again, in a next round."""
    group = study.groups.get(room)
    cohort = None if group is None else study.cohorts.get((group.lobby, group.cohort))
    if cohort is None or not cohort.least or cohort.round >= cohort.rounds:
        return False
    return room in cohort.rooms and len(study.still_in(cohort)) >= cohort.least


def has_no_group(study: StudyState, person: str) -> bool:
    """Whether somebody waits for the next round of their cohort, and is in no group now."""
    cohort, known = study.cohort_of(person), study.people.get(person)
    if cohort is None or known is None or known.room is None or known.ended is not None:
        return False
    if known.room not in cohort.rooms:
        return True
    return study.groups[known.room].dissolved is not None and goes_on(study, known.room)


class Waits(NamedTuple):
    """
    For what somebody waits between two rounds.

    Parameters
    ----------
    is_out
        Whether they have no group in this round.
    until
        When the next round begins at the latest, in microseconds; None: that is not known yet.
    """

    is_out: bool
    until: int | None


def waits_in(study: StudyState, person: str) -> Waits | None:
    """For what somebody waits between two rounds; None: they do not wait for the next one."""
    cohort = study.cohort_of(person) if study.cohorts.size else None
    if cohort is None or cohort.round >= cohort.rounds:
        return None
    is_out = has_no_group(study, person)
    return Waits(is_out, cohort.until) if is_out or has_ended(study, cohort, person) else None
