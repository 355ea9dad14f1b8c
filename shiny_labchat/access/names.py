"""The pseudonym that a person has in all rooms of a study."""

from __future__ import annotations

from typing import cast

from shiny_labchat.domain.commands import NamePerson
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.study import StudyState
from shiny_labchat.store import Log, find_name, give_name

__all__ = ["person_pseudonym", "study_pseudonym"]


async def study_pseudonym(log: Log, study: str, member: str) -> str:
    """
    The pseudonym of a member throughout a study; who has none yet gets one.

    Those who are people of the study have one in its log, see `person_pseudonym`.
    """
    known = await log.read(lambda conn: find_name(conn, study, member))
    return known or await log.write(lambda conn, now: give_name(conn, study, member))


async def person_pseudonym(log: Log, study: str, person: str) -> str:
    """The pseudonym of a study's person, the same in its lobbies; who has none yet gets one."""
    earlier = await log.read(lambda conn: find_name(conn, study, person))
    outcome = await log.submit_together(NamePerson(study, person, earlier))
    name = cast(StudyState, outcome.states[study_log(study)]).people[person].name
    assert name is not None
    return name
