"""The pseudonyms that people have throughout a study."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from shiny_labchat.domain import pseudonyms
from shiny_labchat.store.schema import study_name

__all__ = ["find_name", "give_name"]


def find_name(conn: sa.Connection, study: str, member: str) -> str | None:
    """The pseudonym of a member throughout a study; None: they have none yet."""
    return conn.execute(_FIND, {"study_": study, "member_": member}).scalar_one_or_none()


def give_name(conn: sa.Connection, study: str, member: str) -> str:
    """The pseudonym of a member throughout a study; a new one, unique there, if they have none."""
    known = find_name(conn, study, member)
    if known is not None:
        return known
    taken = conn.execute(_TAKEN, {"study_": study}).scalars().all()
    name = pseudonyms.generate(secrets.token_hex(8), member, taken)
    conn.execute(_GIVE, {"study": study, "member": member, "pseudonym": name})
    return name


_FIND = sa.select(study_name.c.pseudonym).where(
    study_name.c.study == sa.bindparam("study_"), study_name.c.member == sa.bindparam("member_")
)
_TAKEN = sa.select(study_name.c.pseudonym).where(study_name.c.study == sa.bindparam("study_"))
_GIVE = sa.insert(study_name)
