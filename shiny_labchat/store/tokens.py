"""
Tokens: random texts by which a browser has rights. The database has only their sha256.

Kinds: "ticket" (opens one socket, once, soon), "resume" (opens it again), "browser" (identifies a
browser), "invite" (a personal link), "seat" (a bookmark).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
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
"""How long a token of each kind is valid, in seconds; None: for ever."""


@dataclass(frozen=True, slots=True)
class Grant:
    """
    What a token stands for.

    Parameters
    ----------
    member, room, role, study
        The member, the room or study they may enter, and their role there.
    page
        The id of the page that a ticket or resume token is for.
    data
        Other data, as JSON values; `access` defines the keys. A reader ignores keys that it does
        not know: a newer version may have written them.
    """

    member: str
    room: RoomKey | None = None
    role: str | None = None
    page: str | None = None
    study: str | None = None
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])

    @property
    def pseudonym(self) -> str | None:
        """The pseudonym that a personal link gives; None: none."""
        return self.data.get("pseudonym")


def issue(conn: sa.Connection, kind: str, grant: Grant, now: int, *, raw: str | None = None) -> str:
    """Store a token for a grant; return it: `raw`, or a new random one of 256 bits."""
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
            "data": _dumps(grant.data),
            "expires": None if life is None else now + int(life * 1e6),
        },
    )
    return raw


def redeem(conn: sa.Connection, kind: str, raw: str, now: int) -> Grant | None:
    """Use a token once; return its grant, or None if unknown, expired or used before."""
    row = conn.execute(_REDEEM, {"hash_": _hash(raw), "kind_": kind, "now": now}).first()
    return None if row is None else _grant(kind, tuple(row))


def look_up(conn: sa.Connection, kind: str, raw: str) -> Grant | None:
    """The grant of a token that may be used many times; None if unknown or expired."""
    now = time.time_ns() // 1000
    row = conn.execute(_LOOK_UP, {"hash_": _hash(raw), "kind_": kind, "now": now}).first()
    return None if row is None else _grant(kind, tuple(row))


def note(conn: sa.Connection, kind: str, raw: str, data: Mapping[str, Any]) -> None:
    """Replace the `data` of a token's grant."""
    known = (token.c.hash == _hash(raw), token.c.kind == kind)
    conn.execute(sa.update(token).where(*known).values(data=_dumps(data)))


def forget_expired(conn: sa.Connection, now: int) -> None:
    """Delete the expired tokens."""
    conn.execute(sa.delete(token).where(token.c.expires < now))


def _hash(raw: str) -> str:
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def _grant(kind: str, row: Sequence[Any]) -> Grant:
    member, study, room, role, page, text = row
    key = RoomKey(study, room) if study is not None and room is not None else None
    page, data = _of_version_0_1(kind, page) if text is None else (page, json.loads(text))
    return Grant(member, key, role, page, study, data)


def _of_version_0_1(kind: str, page: str | None) -> tuple[str | None, dict[str, Any]]:
    """
    The page and the data of a token of version 0.1, which put both into `page`.

    A process of that version which had the database open before migration 0008 still writes such
    tokens after it. If their `page` were read as an id, messages would not be held for the app's
    transform, and a bookmark would be valid in any browser.
    """
    if page is None:
        return None, {}
    if kind == "seat":
        return None, json.loads(page)
    is_waiting = page.endswith(_WAITS)
    return page.removesuffix(_WAITS), {"waits": True} if is_waiting else {}


def _dumps(data: Mapping[str, Any]) -> str | None:
    return json.dumps(dict(data)) if data else None


_WAITS = "\twaits"


_ISSUE = sa.insert(token)
_FIELDS = (
    token.c.member,
    token.c.study,
    token.c.room,
    token.c.role,
    token.c.page,
    token.c.data,
)
_VALID = (
    token.c.hash == sa.bindparam("hash_"),
    token.c.kind == sa.bindparam("kind_"),
    token.c.used.is_(None),
    token.c.expires.is_(None) | (token.c.expires > sa.bindparam("now")),
)
_REDEEM = sa.update(token).where(*_VALID).values(used=sa.bindparam("now")).returning(*_FIELDS)
_LOOK_UP = sa.select(*_FIELDS).where(*_VALID)
