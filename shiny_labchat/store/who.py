"""Who is in a database: the ids of people and members in each study."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.engine import EVER
from shiny_labchat.store.schema import arrival, event, room

__all__ = [
    "Asked",
    "asked",
    "everybody",
    "has_come_back",
    "is_bot",
    "people_of_study",
    "studies_of",
    "withdrawals",
    "withdrawn_ids",
]


def studies_of(conn: sa.Connection, id: str, study: str | None = None) -> list[str]:
    """The studies in whose logs somebody has done something; reads all of them."""
    found = sa.select(room.c.study).join(event, event.c.room == room.c.key)
    found = found.where(event.c.member == id).group_by(room.c.study)
    if study is not None:
        found = found.where(room.c.study == study)
    return sorted(conn.execute(found).scalars())


def has_come_back(conn: sa.Connection, study: str, id: str, new: str) -> bool:
    """Whether somebody whose withdrawal has given them a new id is in a study by the old one."""
    found = sa.select(event.c.seq).join(room, event.c.room == room.c.key)
    done = room.c.study == study, event.c.kind == "withdrawn", event.c.member == new
    if conn.execute(found.where(*done).limit(1)).first() is None:
        return False
    here = arrival.c.study == study, arrival.c.person == id
    has_arrived = conn.execute(sa.select(arrival.c.person).where(*here).limit(1)).first()
    return has_arrived is not None or bool(studies_of(conn, id, study))


def is_bot(conn: sa.Connection, id: str) -> bool:
    """Whether a member is a program that this package runs; reads all logs."""
    joined = event.c.kind == "joined", event.c.member == id
    found = sa.select(event.c.data).where(*joined, event.c.data.contains('"is_bot":true'))
    return conn.execute(found.limit(1)).first() is not None


def everybody(conn: sa.Connection) -> set[tuple[str, str]]:
    """All people and members, as study and id; reads all logs."""
    found = sa.select(room.c.study, event.c.member).join(event, event.c.room == room.c.key)
    rows = conn.execute(found.where(event.c.member.is_not(None)).distinct())
    return {(study, member) for study, member in rows}


def people_of_study(conn: sa.Connection, study: str) -> list[str]:
    """All people and members of a study but bots, in the order of their names; reads its logs."""
    found = sa.select(event.c.member).join(room, event.c.room == room.c.key)
    of_study = room.c.study == study, event.c.member.is_not(None)
    bots = sa.select(event.c.member).where(
        event.c.room == room.c.key,
        room.c.study == study,
        event.c.kind == "joined",
        event.c.data.contains('"is_bot":true'),
    )
    ids = set(conn.execute(found.where(*of_study).distinct()).scalars())
    here = ids - set(conn.execute(bots.distinct()).scalars())
    arrived = sa.select(arrival.c.person).where(arrival.c.study == study)
    return sorted(here | set(conn.execute(arrived).scalars()))


class Asked(NamedTuple):
    """
    Who has asked that their data be deleted, or not be kept; some may have withdrawn since.

    Attributes
    ----------
    studies
        The names of their studies.
    moved
        What `Statements.rooms_moved` says, up to which it is known.
    heads
        By the number of the log of a study, the seq up to which it is known.
    """

    studies: Sequence[str] = ()
    moved: int = EVER
    heads: Mapping[int, int] = MappingProxyType({})


def asked(conn: sa.Connection, before: Asked) -> Asked:
    """Who has asked since; this costs nothing as long as nothing has happened."""
    moved, until = engine_of(conn).rooms_moved(conn, before.moved)
    heads = dict(before.heads)
    news = [at for at in moved if at.key.kind == "study" and at.seq != heads.get(at.number)]
    some = [at.key.study for at in news if _have_asked(conn, at.number, heads.get(at.number, 0))]
    return Asked(some, until, heads | {at.number: at.seq for at in news})


def _have_asked(conn: sa.Connection, number: int, since: int) -> bool:
    says = event.c.data.contains('"delete":true'), event.c.data.contains('"keep":false')
    found = sa.select(event.c.seq).where(
        event.c.room == number,
        event.c.seq > since,
        event.c.kind.in_(("ended", "debriefed")),
        sa.or_(*says),
    )
    return conn.execute(found.limit(1)).first() is not None


def withdrawn_ids(conn: sa.Connection) -> set[str]:
    """The new ids of all who have withdrawn; reads all logs."""
    found = sa.select(event.c.member).where(event.c.kind == "withdrawn").distinct()
    return _texts(conn.execute(found).scalars())


def withdrawals(conn: sa.Connection) -> set[tuple[str, str]]:
    """All who have withdrawn, as study and new id; reads all logs."""
    found = sa.select(room.c.study, event.c.member).join(event, event.c.room == room.c.key)
    rows = conn.execute(found.where(event.c.kind == "withdrawn").distinct())
    return {(study, member) for study, member in rows}


def _texts(values: Iterable[str | None]) -> set[str]:
    return {value for value in values if value is not None}
