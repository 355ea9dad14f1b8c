"""
When something is due in a lobby, or in the rooms of its groups, though nobody does anything. Pure.

Whether something is due now, the rules say themselves: a command that is sent too early does
nothing. Here is said when it is worth to ask them again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator

from shiny_labchat.domain.commands.lobby import LobbySigns
from shiny_labchat.domain.commands.study import Barrier, ShowRoom
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.lobby import LobbyState, Place
from shiny_labchat.domain.lobby_settings import LobbySettings
from shiny_labchat.domain.rounds import is_over
from shiny_labchat.domain.study import Cohort, Group, StudyState

__all__ = ["SHOWN_WITHIN", "due_in_rooms", "due_rounds", "is_asking", "next_due"]

SHOWN_WITHIN = 10_000_000
"""After this time a group sees its room, whatever prepares it, in microseconds."""
SECOND = 1_000_000
"""Microseconds."""


def next_due(lobby: str, state: LobbyState, study: StudyState, signs: LobbySigns, at: int) -> int:
    """
    When something is due next, if nobody does anything until then.

    Parameters
    ----------
    lobby, state
        The lobby's id, and its state.
    study
        The state of its study.
    signs
        What is known of the people who wait.
    at
        The time, in microseconds since 1970 (UTC).

    Returns
    -------
    int
        A time after `at`; 0: never.
    """
    settings = LobbySettings.of(state.settings)
    times = [
        *(match.until + 1 for match in state.matches.values()),
        *_in_queue(state, settings, signs),
        *_in_rooms(lobby, study),
        *(each.until for each in _cohorts(lobby, study) if each.until is not None),
    ]
    return min((time for time in times if time > at), default=0)


def is_asking(state: LobbyState) -> bool:
    """Whether it matters who is there: somebody waits."""
    return bool(state.queue or state.missed or state.matches)


def _in_queue(state: LobbyState, settings: LobbySettings, signs: LobbySigns) -> Iterator[int]:
    if state.queue and settings.opens is not None:
        yield settings.opens
    for person in state.here():
        yield from _of_place(state.places[person], settings, signs)


def _of_place(place: Place, settings: LobbySettings, signs: LobbySigns) -> Iterator[int]:
    """The times of somebody; each rule takes effect once its time is over."""
    yield settings.deadline(place.since, place.extended) + 1
    yield place.since + int(settings.settle * SECOND)
    seen = max(signs.seen.get(place.person, place.since), signs.asked_since)
    yield seen + int(settings.grace * SECOND) + 1
    idle = signs.idle.get(place.person)
    if place.prompted is not None:
        yield place.prompted + 1
    elif settings.idle_prompt is not None and idle is not None:
        since = max(idle, place.since, place.confirmed)
        yield since + int(settings.idle_prompt[0] * SECOND) + 1


def _in_rooms(lobby: str, study: StudyState) -> Iterator[int]:
    for group in _groups(lobby, study):
        if not group.is_shown:
            yield group.at + SHOWN_WITHIN
    for (room, _), barrier in study.barriers.items():
        if barrier.met is None and _is_of(room, lobby, study):
            yield barrier.until


def due_rounds(lobby: str, study: StudyState, at: int) -> list[Cohort]:
    """The cohorts of a lobby whose round is over now, and that have another one."""
    return [each for each in _cohorts(lobby, study) if is_over(study, each, at)]


def _cohorts(lobby: str, study: StudyState) -> Iterator[Cohort]:
    """Those that have another round, and people for it."""
    for cohort in study.cohorts.values() if study.cohorts.size else ():
        if cohort.lobby == lobby and cohort.round < cohort.rounds and study.still_in(cohort):
            yield cohort


def due_in_rooms(
    key: LogKey, study: StudyState, kinds: Collection[str], is_prepared: bool, at: int
) -> list[Barrier | ShowRoom]:
    """
    The commands that are due now in the rooms of a lobby's groups.

    Parameters
    ----------
    key
        The key of the lobby's log.
    study
        The state of its study.
    kinds
        The kinds of what is recorded for which people wait for each other, whether or not a page
        asks for it.
    is_prepared
        Whether functions of the app's prepare the rooms.
    at
        The time, in microseconds since 1970 (UTC).
    """
    lobby, due = key.id, list[Barrier | ShowRoom]()
    for group in _groups(lobby, study):
        also = (LogKey(key.study, group.room),)
        if not group.is_shown and (at >= group.at + SHOWN_WITHIN or not is_prepared):
            how = "late" if is_prepared else "none"
            due.append(ShowRoom(key.study, group.room, how, also=also))
        for kind in kinds:
            if (group.room, kind) not in study.barriers and _all_have(study, group.room, kind):
                due.append(Barrier(key.study, group.room, kind, None, also=also))
    for (room, kind), barrier in study.barriers.items():
        if barrier.met is None and _is_of(room, lobby, study):
            if at >= barrier.until or _all_have(study, room, kind):
                due.append(Barrier(key.study, room, kind, None, also=(LogKey(key.study, room),)))
    return due


def _groups(lobby: str, study: StudyState) -> Iterator[Group]:
    return (group for group in study.groups.values() if group.lobby == lobby)


def _is_of(room: str, lobby: str, study: StudyState) -> bool:
    group = study.groups.get(room)
    return group is not None and group.lobby == lobby


def _all_have(study: StudyState, room: str, kind: str) -> bool:
    """Whether all have recorded it who are waited for, and anybody has."""
    have, are_all = study.awaited(room, kind)
    return bool(have) and are_all
