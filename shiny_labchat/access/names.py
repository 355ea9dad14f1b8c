"""The pseudonym that a person has in all rooms of a study."""

from __future__ import annotations

from shiny_labchat.store import Log, find_name, give_name

__all__ = ["study_pseudonym"]


async def study_pseudonym(log: Log, study: str, member: str) -> str:
    """The pseudonym of a member throughout a study; who has none yet gets one."""
    known = await log.read(lambda conn: find_name(conn, study, member))
    return known or await log.write(lambda conn, now: give_name(conn, study, member))
