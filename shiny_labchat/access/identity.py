"""Who a browser is, and personal links."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from shiny_labchat.store import Grant, Log, issue, look_up

__all__ = ["identify", "invitation", "invite"]


async def identify(log: Log, key: str) -> str:
    """
    The id of the person whose browser (or tab) keeps a key.

    The key is random and the browser's own, so all chats of a page agree on it at once; only its
    sha256 is stored. A key that the lab has not seen yet is a new person.
    """
    known = await log.read(lambda conn: look_up(conn, "browser", key))
    return known.member if known else await log.write(lambda conn, now: _meet(conn, key, now))


def _meet(conn: sa.Connection, key: str, now: int) -> str:
    known = look_up(conn, "browser", key)  # another chat of the page may have asked meanwhile
    if known is not None:
        return known.member
    member = f"visitor-{secrets.token_hex(8)}"
    issue(conn, "browser", Grant(member), now, raw=key)
    return member


async def invite(log: Log, grant: Grant) -> str:
    """A token for a personal link."""
    return await log.write(lambda conn, now: issue(conn, "invite", grant, now))


async def invitation(log: Log, raw: str) -> Grant | None:
    """Whom a personal link was made for; None: the lab never made it."""
    return await log.read(lambda conn: look_up(conn, "invite", raw))
