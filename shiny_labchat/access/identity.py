"""Who a browser is, and personal links."""

from __future__ import annotations

import secrets

import sqlalchemy as sa

from shiny_labchat.store import Grant, Log, issue, look_up

__all__ = ["identify", "invitation", "invite"]


async def identify(log: Log, key: str) -> str:
    """
    The member id of the person whose browser (or tab) keeps a key.

    The browser makes the key at random, so all chats of a page have the same one at once. Only
    its sha256 is stored. A key that the lab does not know yet makes a new person.
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
    """Make the token of a personal link."""
    return await log.write(lambda conn, now: issue(conn, "invite", grant, now))


async def invitation(log: Log, raw: str) -> Grant | None:
    """The grant of a personal link; None: this lab did not make the link."""
    return await log.read(lambda conn: look_up(conn, "invite", raw))
