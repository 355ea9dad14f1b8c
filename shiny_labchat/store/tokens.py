"""
Tokens: what browsers hold instead of rights. The database knows only their sha256.

Kinds: "ticket" (opens one socket, once, soon), "resume" (opens it again), "browser" (who this
browser is), "invite" (a personal link), "seat" (a bookmark).
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shiny_labchat.domain.events import RoomKey
from shiny_labchat.store.schema import token

__all__ = ["LIFETIMES", "Grant", "forget_expired", "issue", "look_up", "note", "redeem"]

LIFETIMES: dict[str, float | None] = {
    "ticket": 60.0,
    "resume": 24 * 3600.0,
    "browser": None,
    "invite": None,
    "seat": None,
}
"""How long a token of each kind is good for, in seconds; None: for ever."""


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What a token stands for.

    `page` is the page that a ticket is for; of a seat, it is all else that is known of it.
    """

    member: str
    room: RoomKey | None = None
    role: str | None = None
    page: str | None = None
    study: str | None = None


def issue(conn: sa.Connection, kind: str, grant: Grant, now: int, *, raw: str | None = None) -> str:
    """A token for `grant`: `raw`, or a new random one of 256 bits."""
    raw = raw or secrets.token_urlsafe(32)
    life = LIFETIMES[kind]
    conn.execute(
        _ISSUE,
        {
            "hash": _hash(raw),
            "kind": kind,
            "study": grant.room.study if grant.room else grant.study,
            "room": grant.room.id if grant.room else None,
            "member": grant.member,
            "role": grant.role,
            "page": grant.page,
            "expires": None if life is None else now + int(life * 1e6),
        },
    )
    return raw


def redeem(conn: sa.Connection, kind: str, raw: str, now: int) -> Grant | None:
    """Use a token up; None: there is no such, it has run out, or it was used."""
    row = conn.execute(_REDEEM, {"hash_": _hash(raw), "kind_": kind, "now": now}).first()
    return None if row is None else _grant(tuple(row))


def look_up(conn: sa.Connection, kind: str, raw: str) -> Grant | None:
    """What a token that may be used many times stands for; None: nothing (any more)."""
    now = time.time_ns() // 1000
    row = conn.execute(_LOOK_UP, {"hash_": _hash(raw), "kind_": kind, "now": now}).first()
    return None if row is None else _grant(tuple(row))


def note(conn: sa.Connection, kind: str, raw: str, page: str) -> None:
    """Write down what else is known of what a token stands for."""
    known = (token.c.hash == _hash(raw), token.c.kind == kind)
    conn.execute(sa.update(token).where(*known).values(page=page))


def forget_expired(conn: sa.Connection, now: int) -> None:
    """Delete the tokens that have run out."""
    conn.execute(sa.delete(token).where(token.c.expires < now))


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def _grant(row: Sequence[Any]) -> Grant:
    member, study, room, role, page = row
    key = RoomKey(study, room) if study is not None and room is not None else None
    return Grant(member, key, role, page, study)


_ISSUE = sa.insert(token)
_FIELDS = (token.c.member, token.c.study, token.c.room, token.c.role, token.c.page)
_VALID = (
    token.c.hash == sa.bindparam("hash_"),
    token.c.kind == sa.bindparam("kind_"),
    token.c.used.is_(None),
    token.c.expires.is_(None) | (token.c.expires > sa.bindparam("now")),
)
_REDEEM = sa.update(token).where(*_VALID).values(used=sa.bindparam("now")).returning(*_FIELDS)
_LOOK_UP = sa.select(*_FIELDS).where(*_VALID)
