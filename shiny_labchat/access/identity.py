"""Who a browser is, and personal links."""

from __future__ import annotations

import secrets
from collections.abc import Callable

import sqlalchemy as sa

from shiny_labchat.access.revoking import check_revoked
from shiny_labchat.store import Grant, Log, issue, look_up

__all__ = ["identify", "invitation", "invite"]


async def identify(log: Log, key: str, count_new: Callable[[], None] | None = None) -> str:
    """
    The member id of the person whose browser (or tab) keeps a key.

    The browser makes the key at random, so all chats of a page have the same one at once. Only
    its sha256 is stored. A key that the lab does not know yet makes a new person.

    Parameters
    ----------
    log
        The lab's log.
    key
        The key.
    count_new
        Called before there is a new person; it may refuse them. None: nobody counts.

    Raises
    ------
    Refused
        ``revoked``: the key was revoked.
    """
    known = await log.read(lambda conn: _known(conn, "browser", key))
    if known is not None:
        return known.member
    if count_new is not None:
        count_new()
    return await log.write(lambda conn, now: _meet(conn, key, now))


def _meet(conn: sa.Connection, key: str, now: int) -> str:
    known = _known(conn, "browser", key)  # another chat of the page may have asked meanwhile
    if known is not None:
        return known.member
    member = f"visitor-{secrets.token_hex(8)}"
    issue(conn, "browser", Grant(member), now, raw=key)
    return member


def _known(conn: sa.Connection, kind: str, raw: str) -> Grant | None:
    known = look_up(conn, kind, raw)
    if known is None:
        check_revoked(conn, kind, raw)
    return known


async def invite(log: Log, grant: Grant) -> str:
    """Make the token of a personal link."""
    return await log.write(lambda conn, now: issue(conn, "invite", grant, now))


async def invitation(log: Log, raw: str) -> Grant | None:
    """
    The grant of a personal link; None: this lab did not make the link.

    Raises
    ------
    Refused
        ``revoked``: the link was revoked.
    """
    return await log.read(lambda conn: _known(conn, "invite", raw))
