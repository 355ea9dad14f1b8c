"""
Tokens: random texts by which a browser has rights. The database has only their sha256.

Kinds: "ticket" (opens one socket to a room, once, soon), "resume" (opens it again), "study_ticket"
and "study_resume" (the same for a study), "browser" (identifies a browser), "invite" (a personal
link), "seat" (a bookmark), "end" (where a person goes when they have ended), "receipt" (the code
with which they withdraw later), "server" (what all servers of the database share; its data is no
hash, as they need it themselves), "handled" (a page's chat, with the last message that was taken
to be handled; see `access.handled`).
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.schema import token

__all__ = [
    "LIFETIMES",
    "Grant",
    "are_expired",
    "claim",
    "forget_expired",
    "grants_of",
    "hash_of",
    "is_revoked",
    "is_valid",
    "issue",
    "look_up",
    "note",
    "note_after",
    "note_by_hash",
    "redeem",
    "reissue",
    "revoke",
    "tokens_of",
    "with_hash",
]

LIFETIMES: dict[str, float | None] = {
    "ticket": 60.0,
    "resume": 24 * 3600.0,
    "study_ticket": 60.0,
    "study_resume": 24 * 3600.0,
    "handled": 24 * 3600.0,
    "browser": None,
    "invite": None,
    "seat": None,
    "end": None,
    "receipt": None,
    "server": None,
}
"""How long a token of each kind is valid, in seconds; None: for ever."""
HASHES_AT_ONCE = 500
"""Most values in one statement; every SQLite allows at least 999."""

FORGOTTEN_AT_ONCE = 200
"""Most expired tokens that one transaction deletes: this takes a few milliseconds."""


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
    room: LogKey | None = None
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
            "hash": hash_of(raw),
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


def reissue(conn: sa.Connection, kind: str, grant: Grant, now: int, *, raw: str) -> None:
    """Store a token for a grant, in place of what it stood for before, if anything."""
    conn.execute(sa.delete(token).where(token.c.hash == hash_of(raw), token.c.kind == kind))
    issue(conn, kind, grant, now, raw=raw)


def redeem(conn: sa.Connection, kind: str, raw: str, now: int) -> Grant | None:
    """Use a token once; return its grant, or None if unknown, expired or used before."""
    row = conn.execute(_REDEEM, {"hash_": hash_of(raw), "kind_": kind, "now": now}).first()
    return None if row is None else _grant(kind, tuple(row))


def look_up(conn: sa.Connection, kind: str, raw: str) -> Grant | None:
    """The grant of a token that may be used many times; None if unknown or expired."""
    return with_hash(conn, kind, hash_of(raw))


def claim(conn: sa.Connection, kind: str, raw: str, now: int) -> Grant | None:
    """As `look_up`; nobody else changes it until the transaction ends."""
    known = {"hash_": hash_of(raw), "kind_": kind, "now": now}
    row = conn.execute(_LOOK_UP.with_for_update(), known).first()
    return None if row is None else _grant(kind, tuple(row))


def with_hash(conn: sa.Connection, kind: str, hash: str) -> Grant | None:
    """The grant of the token with this sha256, as `look_up` gives it."""
    now = time.time_ns() // 1000
    row = conn.execute(_LOOK_UP, {"hash_": hash, "kind_": kind, "now": now}).first()
    return None if row is None else _grant(kind, tuple(row))


def grants_of(conn: sa.Connection, kind: str, hashes: Collection[str]) -> dict[str, Grant]:
    """By their sha256, the grants of the valid tokens of one kind among these."""
    some, found = list(hashes), dict[str, Grant]()
    now = time.time_ns() // 1000
    for start in range(0, len(some), HASHES_AT_ONCE):
        wanted = {"hashes": some[start : start + HASHES_AT_ONCE], "kind_": kind, "now": now}
        for hash, *row in conn.execute(_LOOK_UP_ALL, wanted):
            found[hash] = _grant(kind, row)
    return found


def note(conn: sa.Connection, kind: str, raw: str, data: Mapping[str, Any]) -> None:
    """Replace the `data` of a token's grant."""
    note_by_hash(conn, kind, hash_of(raw), data)


def note_after(
    conn: sa.Connection,
    kind: str,
    raw: str,
    now: int,
    *,
    before: Mapping[str, Any],
    data: Mapping[str, Any],
) -> bool:
    """Replace the `data` of a valid token's grant if they are still these; whether they were."""
    known = {"hash_": hash_of(raw), "kind_": kind, "now": now, "before": _dumps(before)}
    return conn.execute(_NOTE_AFTER, {**known, "after": _dumps(data)}).rowcount > 0


def note_by_hash(conn: sa.Connection, kind: str, hash: str, data: Mapping[str, Any]) -> None:
    """Replace the `data` of the grant of the token with this sha256."""
    known = (token.c.hash == hash, token.c.kind == kind)
    conn.execute(sa.update(token).where(*known).values(data=_dumps(data)))


def are_expired(conn: sa.Connection, now: int) -> bool:
    """Whether there are expired tokens."""
    return conn.execute(_EXPIRED.limit(1), {"now": now}).first() is not None


def is_valid(conn: sa.Connection, kind: str, hash: str) -> bool:
    """Whether the token with this sha256 may be used, as `look_up` says of the token itself."""
    return with_hash(conn, kind, hash) is not None


def is_revoked(conn: sa.Connection, kind: str, raw: str) -> bool:
    """Whether a token that may be used many times was revoked."""
    known = {"hash_": hash_of(raw), "kind_": kind}
    return conn.execute(_IS_REVOKED, known).first() is not None


def tokens_of(
    conn: sa.Connection, member: str, kinds: Collection[str], study: str | None
) -> list[str]:
    """
    The sha256 of each valid token of somebody, of some kinds; reads all tokens.

    `study`: only those that are limited to it; None: all.
    """
    found = sa.select(token.c.hash).where(
        token.c.member == member, token.c.kind.in_(kinds), token.c.used.is_(None)
    )
    if study is not None:
        found = found.where(token.c.study == study)
    return list(conn.execute(found).scalars())


def revoke(conn: sa.Connection, hashes: Sequence[str], now: int) -> None:
    """Revoke the tokens with these sha256: they count as used, and cannot be made again."""
    for start in range(0, len(hashes), HASHES_AT_ONCE):
        some = token.c.hash.in_(hashes[start : start + HASHES_AT_ONCE])
        conn.execute(sa.update(token).where(some, token.c.used.is_(None)).values(used=now))


def forget_expired(conn: sa.Connection, now: int) -> None:
    """Delete the tokens that expired first, at most `FORGOTTEN_AT_ONCE`."""
    conn.execute(_FORGET, {"now": now})


def hash_of(raw: str) -> str:
    """The sha256 of a token, which is all that the database has of it."""
    return hashlib.sha256(raw.encode("utf-8", "surrogatepass")).hexdigest()


def _grant(kind: str, row: Sequence[Any]) -> Grant:
    member, study, room, role, page, text = row
    key = LogKey(study, room) if study is not None and room is not None else None
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


_EXPIRED = (
    sa.select(token.c.hash).where(token.c.expires < sa.bindparam("now")).order_by(token.c.expires)
)
_FORGET = sa.delete(token).where(token.c.hash.in_(_EXPIRED.limit(FORGOTTEN_AT_ONCE)))
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
_IS_REVOKED = sa.select(token.c.hash).where(*_VALID[:2], token.c.used.is_not(None))
_REDEEM = sa.update(token).where(*_VALID).values(used=sa.bindparam("now")).returning(*_FIELDS)
_NOTE_AFTER = (
    sa.update(token)
    .where(*_VALID, token.c.data == sa.bindparam("before"))
    .values(data=sa.bindparam("after"))
)
_LOOK_UP = sa.select(*_FIELDS).where(*_VALID)
_LOOK_UP_ALL = sa.select(token.c.hash, *_FIELDS).where(
    token.c.hash.in_(sa.bindparam("hashes", expanding=True)), *_VALID[1:]
)
