"""Where the people of a study go at their end."""

from __future__ import annotations

from typing import cast

from shiny_labchat.access.ends import EndLink
from shiny_labchat.domain.commands.study import study_log
from shiny_labchat.domain.ended import address_at_end
from shiny_labchat.domain.study import StudyState
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Log, arrival_of

__all__ = ["address_of"]


async def address_of(log: Log, link: EndLink) -> str | None:
    """
    The address to which the link of an end leads, with all its values.

    Parameters
    ----------
    log
        The log of the link's lab.
    link
        Whose link it is, and for which reason.

    Returns
    -------
    str or None
        The address. None: the person has not ended for this reason, or there is none for it.
    """
    found = await Runtime.of(log).live.logs.read(study_log(link.study))
    state = cast(StudyState, found)
    person = state.people.get(link.person)
    if person is None or person.ended is None or person.ended.reason != link.reason:
        return None
    known = await log.read(lambda conn: arrival_of(conn, link.study, link.person))
    return address_at_end(state, person, (known and known.params) or {})
