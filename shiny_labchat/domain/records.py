"""What was recorded about people: the answers to forms, and the app's own records. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from shiny_labchat.domain.messages import to_datetime
from shiny_labchat.domain.study import Participation, StudyState

__all__ = ["Record", "missing_in", "records_in", "records_of", "stays", "took_part"]


@dataclass(frozen=True, slots=True)
class Record:
    """
    What was last recorded about a person, of one kind.

    Parameters
    ----------
    member
        The person's id.
    kind
        The kind, such as the name of a form.
    data
        The record; of a form, its answers by the ids of its inputs.
    at
        When it was stored: aware, UTC.
    """

    member: str
    kind: str
    data: Any
    at: datetime


def missing_in(answers: object, needed: Iterable[str]) -> list[str]:
    """
    The inputs of a form that nobody has answered, among those that need an answer.

    A number and a switch always say something. Of several choices, none is an answer.
    """
    given = cast("Mapping[str, object]", answers if isinstance(answers, Mapping) else {})
    return [id for id in needed if _is_missing(given.get(id))]


def _is_missing(value: object) -> bool:
    if isinstance(value, str):
        return not value.strip()
    if isinstance(value, list):
        return any(map(_is_missing, cast("list[object]", value)))
    return value is None


def stays(person: Participation) -> bool:
    """
    Whether somebody has not dropped out: they take part, or have completed, or were led out.

    Who is led out because too few were left may have done all that the others did, and what was
    recorded about them counts as much: that they are led out is seen a moment later than that all
    have recorded something.
    """
    return person.ended is None or person.ended.reason in ("complete", "group_dissolved")


NEVER_BEGAN = ("already_took_part", "closed", "full", "incompatible", "no_consent")
"""The reasons of those who were let in no further; they may come again, and elsewhere."""


def took_part(state: StudyState, person: str) -> bool:
    """Whether somebody takes part or took part in a study, so that they cannot do so once more."""
    known = state.people.get(person)
    if known is None or (known.ended is not None and known.ended.reason in NEVER_BEGAN):
        return False
    return known.consent is not None or state.settings.get("consent") is None


def records_in(state: StudyState, room: str, kind: str | None = None) -> list[Record]:
    """
    The latest records about the people of a group who have not dropped out.

    In a round, of what is recorded in rounds, only what was in this one.

    Parameters
    ----------
    state
        The study.
    room
        The id of the group's room.
    kind
        Only records of this kind; None: of all kinds.

    Returns
    -------
    list of Record
        Person by person, in the order drawn for the group; of each the kinds in the order in which
        they were first recorded.
    """
    group = state.groups.get(room)
    people = () if group is None else (state.people[person] for person in group.people)
    if group is None or not group.cohort:
        return records_of(filter(stays, people), kind)
    return [
        Record(person.person, each, data, to_datetime(state.recorded_at(room, person, each)))
        for person in filter(stays, people)
        for each, data in state.data_in(room, person).items()
        if kind in (None, each)
    ]


def records_of(people: Iterable[Participation], kind: str | None = None) -> list[Record]:
    """The latest records about people; `kind` None: of all kinds."""
    return [
        Record(person.person, each, data, to_datetime(person.recorded[each]))
        for person in people
        for each, data in person.data.items()
        if kind in (None, each)
    ]
