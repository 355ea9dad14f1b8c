"""How far the people of a cohort are in their round. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.study import Cohort, StudyState

__all__ = ["Progress", "Waits", "goes_on", "has_no_group", "late_in", "waits_in"]

SECOND = 1_000_000
"""Microseconds."""


class Progress(NamedTuple):
    """
    How far a round is.

    Parameters
    ----------
    awaited
        The ids of those of its groups who have not recorded what ends the round.
    until
        Until when the others wait for them, in microseconds since 1970 (UTC); None: nobody waits
        yet.
    """

    awaited: tuple[str, ...]
    until: int | None

    @classmethod
    def of(cls, study: StudyState, cohort: Cohort, settings: LobbySettings) -> Progress:
        """
        How far a round is.

        In a group that is dissolved nobody is waited for. The first one who has ended the round
        sets the time; where the rooms have one of their own, it begins once that is over.
        """
        awaited: list[str] = []
        times: list[int] = []
        for room in cohort.rooms:
            group, theirs = study.groups[room], study.recorded.get(room, {})
            for person in study.taking_part(room):
                found = theirs.get(person.person, {}).get(settings.next_on or "")
                if found is not None:
                    times.append(max(found.at, group.at + settings.talk))
                elif group.dissolved is None:
                    awaited.append(person.person)
        until = min(times) + round(settings.within * SECOND) if times else None
        return cls(tuple(awaited), until)

    def is_over(self, at: int) -> bool:
        """Whether the round is over: nobody is waited for, or not any longer."""
        return not self.awaited or (self.until is not None and at >= self.until)


def late_in(
    study: StudyState, awaited: Iterable[str], settings: LobbySettings, at: int
) -> list[str]:
    """
    Those of the awaited who are late by their own fault: they have done nothing for `within`.

    Who waits for the others of their group, or has only just gone on, is not.
    """
    since = at - round(settings.within * SECOND)
    return [person for person in awaited if not _did_something(study, person, since)]


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


def waits_in(study: StudyState, person: str, settings: LobbySettings) -> Waits | None:
    """For what somebody waits between two rounds; None: they do not wait for the next one."""
    cohort = study.cohort_of(person) if study.cohorts.size else None
    if cohort is None or cohort.round >= cohort.rounds:
        return None
    progress, is_out = Progress.of(study, cohort, settings), has_no_group(study, person)
    if is_out or (progress.until is not None and person not in progress.awaited):
        return Waits(is_out, progress.until)
    return None
