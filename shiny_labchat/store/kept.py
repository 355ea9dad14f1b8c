"""What a database has of a study: how many events of each kind, who may read, which models."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

import orjson
import sqlalchemy as sa

from shiny_labchat.store.schema import arrival, audit, event, room, seen, token

__all__ = [
    "Called",
    "Opened",
    "called",
    "counts_of",
    "opened",
    "people_seen",
    "recruited",
    "staff",
    "typed",
    "undisclosed",
]

STAFF = "observer", "experimenter"
_LASTING = "invite", "browser", "seat"
"""The kinds of tokens that are valid until they are revoked, but for those of ends."""


class Called(NamedTuple):
    """
    A model that bots of a study have called.

    Parameters
    ----------
    provider, model
        As the client names them.
    base_url
        The address that it was called at; None: it is not on record.
    is_function
        Whether it is a function of the app in the place of a model.
    calls, first, last
        How often, and when first and last, in microseconds since 1970 (UTC).
    """

    provider: str
    model: str | None
    base_url: str | None
    is_function: bool
    calls: int
    first: int
    last: int


class Opened(NamedTuple):
    """
    A valid link, browser or bookmark of somebody who reads along.

    Parameters
    ----------
    member, role
        Whose it is, and their role.
    kind
        "invite" (a personal link), "browser", or "seat" (a bookmark).
    number
        How many of this kind they have.
    """

    member: str
    role: str
    kind: str
    number: int


def typed(conn: sa.Connection, study: str) -> int:
    """Of how many messages of a study it is kept how they were written; reads all of them."""
    found = sa.select(sa.func.count()).select_from(event).join(room, event.c.room == room.c.key)
    # In a text, quotes are escaped.
    is_typed = event.c.kind == "message", event.c.data.like('%"typed":{%')
    return conn.execute(found.where(room.c.study == study, *is_typed)).scalar_one()


def counts_of(conn: sa.Connection, study: str) -> dict[tuple[str, str], int]:
    """By the kind of the log and that of the event, how many a study has; reads all of them."""
    found = sa.select(room.c.kind, event.c.kind, sa.func.count()).join_from(event, room)
    found = found.where(room.c.study == study).group_by(room.c.kind, event.c.kind)
    return {(log, kind): number for log, kind, number in conn.execute(found)}


def recruited(conn: sa.Connection, study: str) -> int:
    """Of how many people it is kept what their recruiters said of them."""
    found = sa.select(sa.func.count()).where(
        arrival.c.study == study, arrival.c.params.is_not(None)
    )
    return conn.execute(found.where(arrival.c.params != "{}")).scalar_one()


def people_seen(conn: sa.Connection, study: str) -> int:
    """Of how many people it is kept when their pages last answered."""
    return conn.execute(sa.select(sa.func.count()).where(seen.c.study == study)).scalar_one()


def called(conn: sa.Connection, study: str) -> list[Called]:
    """The models and functions that bots of a study have called, first those that came first."""
    about = audit.c.provider, audit.c.model, audit.c.parameters, audit.c.is_call
    times = sa.func.count(), sa.func.min(audit.c.at), sa.func.max(audit.c.at)
    found = sa.select(*about, *times).join_from(audit, room).group_by(*about)
    found = found.where(room.c.study == study, audit.c.provider.is_not(None))
    merged: dict[tuple[str, str | None, str | None, bool], Called] = {}
    for provider, model, parameters, is_call, *when in conn.execute(found):
        address: str | None = orjson.loads(parameters or "{}").get("base_url")
        key = provider, model, address, not is_call
        new, known = Called(*key, *when), merged.get(key)
        merged[key] = new if known is None else _both(known, new)
    return sorted(merged.values(), key=lambda each: each.first)


def _both(one: Called, other: Called) -> Called:
    first, last = min(one.first, other.first), max(one.last, other.last)
    return one._replace(calls=one.calls + other.calls, first=first, last=last)


def staff(conn: sa.Connection, study: str) -> dict[str, str]:
    """The ids of the observers and experimenters in a study's rooms, with their first role."""
    found = sa.select(event.c.member, event.c.data).join_from(event, room)
    found = found.where(room.c.study == study, room.c.kind == "room", event.c.kind == "joined")
    of = sa.or_(*(event.c.data.contains(f'"role":"{role}"') for role in STAFF))
    rows = conn.execute(found.where(of).order_by(room.c.key, event.c.seq))
    roles: dict[str, str] = {}
    for member, data in rows:
        roles.setdefault(member, orjson.loads(data)["role"])
    return roles


def undisclosed(conn: sa.Connection, study: str) -> list[str]:
    """The ids of the bots that have joined rooms of a study as people do; reads its logs."""
    found = sa.select(event.c.member).join_from(event, room)
    found = found.where(room.c.study == study, room.c.kind == "room", event.c.kind == "joined")
    bots = event.c.data.contains('"is_bot":true'), event.c.data.contains('"shown":"participant"')
    return sorted(conn.execute(found.where(*bots).distinct()).scalars())


def opened(conn: sa.Connection, study: str, members: Collection[str], now: int) -> list[Opened]:
    """
    The valid links, browsers and bookmarks of observers and experimenters.

    Parameters
    ----------
    study
        The study; links that are not limited to one count, too.
    members
        Those who have such a role in its rooms; others have it by their link.
    now
        The time, in microseconds since 1970 (UTC).
    """
    found = sa.select(token.c.member, token.c.role, token.c.kind).where(
        token.c.kind.in_(_LASTING),
        token.c.used.is_(None),
        token.c.expires.is_(None) | (token.c.expires > now),
        token.c.study.is_(None) | (token.c.study == study),
    )
    counts: dict[tuple[str, str, str], int] = {}
    for member, role, kind in conn.execute(found.order_by(token.c.member, token.c.kind)):
        if member in members or role in STAFF:
            key = member, role or "", kind
            counts[key] = counts.get(key, 0) + 1
    return [Opened(*key, number) for key, number in counts.items()]
