"""
Bookmarks: tokens that bring somebody back to their place in a room.

Of a chat a bookmark holds only a random token: no room, no person, no message. The database has
the token's sha256, and the room and the member that it stands for.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from shiny_labchat.access.revoking import check_revoked
from shiny_labchat.domain.events import LogKey
from shiny_labchat.store import Grant, Log, find_room, issue, look_up, note

__all__ = ["BookmarkToken", "BookmarkedSeat", "browser_of", "find_bookmark"]


@dataclass(frozen=True, slots=True)
class BookmarkedSeat:
    """
    A member's place in a room, as a bookmark keeps it.

    Attributes
    ----------
    room, member
        The room, and the id of the member.
    browser
        The browser, or tab, that may use it, as `browser_of` returns it; None: any.
    client
        The state of the member's own model client, as JSON; None: there is none.
    """

    room: LogKey
    member: str
    browser: str | None
    client: str | None = None


def browser_of(key: str) -> str:
    """The sha256 of the random key that a browser, or tab, keeps: only this is stored."""
    return hashlib.sha256(key.encode()).hexdigest()


async def find_bookmark(log: Log, raw: str) -> BookmarkedSeat | None:
    """
    The place that a bookmark's token stands for; None: unknown, or the room is gone.

    Raises
    ------
    Refused
        ``revoked``: the bookmark was revoked.
    """

    def find(conn: sa.Connection) -> BookmarkedSeat | None:
        grant = look_up(conn, "seat", raw)
        if grant is None:
            check_revoked(conn, "seat", raw)
        if grant is None or grant.room is None or find_room(conn, grant.room) is None:
            return None
        browser, client = grant.data.get("browser"), grant.data.get("client")
        return BookmarkedSeat(grant.room, grant.member, browser, client)

    return await log.read(find)


class BookmarkToken:
    """
    The token of a page's bookmarks; it is stored when the first bookmark is made.

    Parameters
    ----------
    seat
        The place that it stands for.
    token
        The token; None: a new one.

    Attributes
    ----------
    is_stored
        Whether the token is in the database, or is being written there.
    """

    def __init__(self, seat: BookmarkedSeat, token: str | None = None) -> None:
        self.seat = seat
        self.token = token or secrets.token_urlsafe(32)
        self.is_stored = token is not None

    async def store(self, log: Log) -> None:
        """Store the token with its place as it is now."""
        about = _about(self.seat)
        if self.is_stored:
            await log.write(lambda conn, now: _update(conn, self.token, about))
            return
        grant = Grant(self.seat.member, self.seat.room, data=about)
        self.is_stored = True
        try:
            await log.write(lambda conn, now: issue(conn, "seat", grant, now, raw=self.token))
        except BaseException:
            self.is_stored = False
            raise


def _update(conn: sa.Connection, token: str, about: Mapping[str, str | None]) -> None:
    stored = look_up(conn, "seat", token)  # a newer version may know more of the seat
    note(conn, "seat", token, {**(stored.data if stored else {}), **about})


def _about(seat: BookmarkedSeat) -> Mapping[str, str | None]:
    return {"browser": seat.browser, "client": seat.client}
