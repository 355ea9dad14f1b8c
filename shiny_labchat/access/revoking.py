"""
Revoking what lets a person in: personal links, browsers' keys, and bookmarks.

A ticket or resume token is valid only as long as the token by which its page was let in.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal, NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import Refused
from shiny_labchat.store import Log, hash_of, is_revoked, is_valid, revoke, rooms_of, tokens_of

__all__ = ["KINDS", "Revocable", "Source", "check_revoked", "check_source", "revoke_all"]

Revocable = Literal["links", "browsers", "bookmarks"]

KINDS: dict[Revocable, str] = {"links": "invite", "browsers": "browser", "bookmarks": "seat"}
"""The kinds of tokens, by what they are called towards users."""


class Source(NamedTuple):
    """The token by which a page was let in: its kind, and its sha256."""

    kind: str
    hash: str

    @classmethod
    def of(cls, kind: str, raw: str) -> Source:
        """The source that a token is."""
        return cls(kind, hash_of(raw))


def check_source(conn: sa.Connection, source: Source | None) -> None:
    """Refuse a page that was let in by a token which is no longer valid; None: by none."""
    if source is not None and not is_valid(conn, *source):
        raise Refused("revoked")


def check_revoked(conn: sa.Connection, kind: str, raw: str) -> None:
    """Refuse a token that was revoked; one that never was is not refused here."""
    if is_revoked(conn, kind, raw):
        raise Refused("revoked")


async def revoke_all(
    log: Log, member: str, kinds: Collection[str], study: str | None
) -> tuple[int, list[LogKey]]:
    """
    Revoke a person's tokens of some kinds.

    Parameters
    ----------
    log
        The lab's log.
    member
        The id of the person.
    kinds
        The kinds of tokens.
    study
        Only those that are limited to this study; None: all.

    Returns
    -------
    tuple of int and list of LogKey
        How many there were, and the rooms that the person may be in.
    """
    # They are searched in a reader's thread, so that nobody who writes waits for it.
    found = await log.read(lambda conn: tokens_of(conn, member, kinds, study))
    if not found:
        return 0, []
    await log.write(lambda conn, now: revoke(conn, found, now))
    return len(found), await log.read(lambda conn: rooms_of(conn, member, study))
