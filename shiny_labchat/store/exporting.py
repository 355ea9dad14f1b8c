"""
The statements that an export reads with: page by page, each in a transaction of its own.

One long transaction would keep the write-ahead log from being emptied, while the server writes.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from shiny_labchat.domain.commands import STREAM
from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.schema import MAKES_STATE, anonymous_id, audit, event, room

__all__ = [
    "AuditRow",
    "EventRow",
    "LogHead",
    "Opening",
    "audit_keys",
    "audit_rows",
    "became_between",
    "bots_of_log",
    "draw_ids",
    "drawn_ids",
    "events_page",
    "heads_of_logs",
    "members_of_log",
    "new_id",
    "opening_of",
    "stream_ends",
]

IDS_AT_ONCE = 100
"""Most values of a statement that names each."""

EventRow = Sequence[Any]
"""The seq, time, kind, member, data (JSON) and cid of an event."""

AuditRow = Mapping[str, Any]
"""A row of the audit, by its columns."""


class LogHead(NamedTuple):
    """
    A log, and how far it goes.

    Parameters
    ----------
    number
        Its number in the database; logs have them in the order in which they were made.
    key
        Its key.
    seq
        The seq of its newest event.
    """

    number: int
    key: LogKey
    seq: int


def heads_of_logs(conn: sa.Connection, study: str | None = None) -> list[LogHead]:
    """The logs of a study (None: of all), study by study, in the order in which they were made."""
    found = sa.select(room.c.key, room.c.study, room.c.id, room.c.kind, room.c.seq)
    if study is not None:
        found = found.where(room.c.study == study)
    rows = conn.execute(found.order_by(room.c.study, room.c.key))
    return [LogHead(number, LogKey(*key), seq) for number, *key, seq in rows]


def events_page(
    conn: sa.Connection, number: int, after: int, upto: int, limit: int
) -> list[EventRow]:
    """Some events of a log after one seq, up to another, oldest first, as they were written."""
    wanted = {"room": number, "after": after, "upto": upto, "limit": limit}
    return [*conn.execute(_PAGE, wanted).all()]


def stream_ends(
    conn: sa.Connection, number: int, seqs: Sequence[int], upto: int
) -> dict[int, tuple[int, int, dict[str, Any]]]:
    """The ends of streams up to a seq: by the stream, the end's seq, time and data."""
    ends: dict[int, tuple[int, int, dict[str, Any]]] = {}
    for start in range(0, len(seqs), IDS_AT_ONCE):
        some = seqs[start : start + IDS_AT_ONCE]
        cids = [f"{STREAM}{seq}{mark}" for seq in some for mark in ("", "?")]
        wanted = {"room": number, "upto": upto, "cids": cids}
        for seq, at, data in conn.execute(_ENDS, wanted):  # the true end comes last and wins
            said = orjson.loads(data)
            ends[said["of"]] = seq, at, said
    return ends


class Opening(NamedTuple):
    """
    When the people of a room could use it first.

    Parameters
    ----------
    is_group
        Whether its people were grouped in a lobby, and are shown it later.
    at
        When it was made, or shown; None: it was not shown.
    """

    is_group: bool
    at: int | None


def opening_of(conn: sa.Connection, number: int, upto: int) -> Opening:
    """When the people of a room could use it first."""
    wanted = {"room": number, "upto": upto}
    steps = {kind: at for kind, at in conn.execute(_STEPS, wanted)}
    if "grouped" in steps:
        return Opening(True, steps.get("shown"))
    return Opening(False, conn.execute(_FIRST_AT, wanted).scalar())


def members_of_log(conn: sa.Connection, number: int, upto: int) -> set[str]:
    """The ids of all whom the events of a log are of."""
    return set(conn.execute(_MEMBERS, {"room": number, "upto": upto}).scalars())


def bots_of_log(conn: sa.Connection, number: int, upto: int) -> set[str]:
    """The ids of the bots that were members of a room."""
    joined = conn.execute(_JOINED, {"room": number, "upto": upto})
    return {member for member, data in joined if orjson.loads(data).get("is_bot", False)}


# ── the audit ──


def audit_keys(conn: sa.Connection, number: int) -> list[int]:
    """The keys of a room's entries in the audit, in the order in which they were begun."""
    found = sa.select(audit.c.key).where(audit.c.room == number)
    return sorted(conn.execute(found).scalars())


def audit_rows(conn: sa.Connection, keys: Sequence[int]) -> list[AuditRow]:
    """Entries of the audit as they were written, by key."""
    found = sa.select(audit).where(audit.c.key.in_(keys)).order_by(audit.c.key)
    return [dict(row) for row in conn.execute(found).mappings()]  # pyright: ignore[reportReturnType]


def became_between(
    conn: sa.Connection, number: int, first: int, last: int
) -> dict[int, tuple[int, int, str | None]]:
    """By message from one seq to another: the call it comes from, what that is about, its model."""
    wanted = {"room": number, "first": first, "last": last}
    return {became: (key, seq, model) for became, key, seq, model in conn.execute(_BECAME, wanted)}


# ── ids ──


def drawn_ids(conn: sa.Connection, study: str) -> dict[str, str]:
    """What stands in anonymous exports of a study in place of members' ids, as far as drawn."""
    found = sa.select(anonymous_id.c.member, anonymous_id.c.drawn)
    rows = conn.execute(found.where(anonymous_id.c.study == study))
    return {member: drawn for member, drawn in rows}


def draw_ids(conn: sa.Connection, study: str, members: Collection[str]) -> dict[str, str]:
    """Draw what is missing of these; return those of all members of the study."""
    known = drawn_ids(conn, study)
    new = [(study, member, new_id()) for member in _in_random_order(set(members) - known.keys())]
    engine_of(conn).insert(conn, anonymous_id, new)
    return {**known, **{member: drawn for _, member, drawn in new}}


def _in_random_order(members: Iterable[str]) -> list[str]:
    return sorted(members, key=lambda _: secrets.token_bytes(8))


def new_id() -> str:
    """A random id that says nothing of whom it stands for."""
    return f"anon-{secrets.token_hex(8)}"


_OF_LOG = event.c.room == sa.bindparam("room"), event.c.seq <= sa.bindparam("upto")
_PAGE = (
    sa.select(event.c.seq, event.c.at, event.c.kind, event.c.member, event.c.data, event.c.cid)
    .where(*_OF_LOG, event.c.seq > sa.bindparam("after"))
    .order_by(event.c.seq)
    .limit(sa.bindparam("limit"))
)
_ENDS = (
    sa.select(event.c.seq, event.c.at, event.c.data)
    .where(*_OF_LOG, event.c.author == "", event.c.cid.in_(sa.bindparam("cids", expanding=True)))
    .order_by(event.c.cid.desc())
)
_STEPS = (
    sa.select(event.c.kind, event.c.at)
    .where(*_OF_LOG, MAKES_STATE, event.c.kind.in_(("grouped", "shown")))
    .order_by(event.c.seq.desc())  # the first of a kind comes last and wins
)
_FIRST_AT = sa.select(event.c.at).where(*_OF_LOG).order_by(event.c.seq).limit(1)
_JOINED = sa.select(event.c.member, event.c.data).where(
    *_OF_LOG, MAKES_STATE, event.c.kind == "joined"
)
_MEMBERS = sa.select(event.c.member).where(*_OF_LOG, event.c.member.is_not(None)).distinct()
_BECAME = sa.select(audit.c.became, audit.c.key, audit.c.seq, audit.c.model).where(
    audit.c.room == sa.bindparam("room"),
    audit.c.became >= sa.bindparam("first"),
    audit.c.became <= sa.bindparam("last"),
)
