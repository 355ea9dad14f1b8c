"""
Tickets and resume tokens, with which a page opens its sockets.

A page asks its Shiny session for a ticket; the ticket opens one socket, once. The server does not
rely on anything that a browser says about itself: the random token decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import sqlalchemy as sa

from shiny_labchat.domain.events import RoomKey
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.store import Grant, Log, issue, look_up, redeem

__all__ = ["Entry", "enter", "ticket"]


@dataclass(frozen=True, slots=True)
class Entry:
    """
    What a token lets a socket do: in which room, as which member, and how to come back.

    Attributes
    ----------
    log, room, member, page
        The lab's log, the room, and whose page it is.
    resume
        The resume token, for the next socket of the page.
    waits
        Whether messages of the page are held until the app has transformed them.
    shows_observers
        Whether the page shows participants who observes.
    """

    log: Log
    room: RoomKey
    member: str
    page: str
    resume: str
    waits: bool = False
    shows_observers: bool = False


async def ticket(
    log: Log,
    room: RoomKey,
    member: str,
    page: str,
    *,
    waits: bool = False,
    shows_observers: bool = False,
) -> str:
    """Make a ticket with which a member's page opens one socket; see `Entry`."""
    # `waits` is in the token, so that no process publishes such a page's messages untransformed.
    settings = {"waits": waits, "shows_observers": shows_observers}
    data = {name: True for name, is_set in settings.items() if is_set}
    grant = Grant(member, room, page=page, data=data)
    return await log.write(lambda conn, now: issue(conn, "ticket", grant, now))


async def enter(logs: Iterable[Log], token: str, is_resume: bool) -> Entry:
    """
    Redeem a ticket, or check a resume token, in the lab that made it.

    Parameters
    ----------
    logs
        The logs of the labs that this process has open.
    token, is_resume
        The token, and whether it is a resume token.

    Raises
    ------
    Refused
        ``ticket``: the token is unknown, has expired, or was used before.
    """
    trouble: StoreError | None = None
    for log in logs:
        try:
            entry = await _enter(log, token, is_resume)
        except StoreError as exc:
            trouble = exc  # another lab's database may work
            continue
        if entry is not None:
            return entry
    raise trouble or Refused("ticket")


async def _enter(log: Log, token: str, is_resume: bool) -> Entry | None:
    if not log.exists:
        return None
    kind, resume = ("resume", token) if is_resume else ("ticket", "")
    grant = await log.read(lambda conn: look_up(conn, kind, token))
    if grant is not None and not is_resume:  # a commit only for a ticket that exists
        grant, resume = await log.write(lambda conn, now: _take_ticket(conn, token, now))
    if grant is None or grant.room is None:
        return None
    waits, shows = (bool(grant.data.get(name)) for name in ("waits", "shows_observers"))
    return Entry(log, grant.room, grant.member, grant.page or "", resume, waits, shows)


def _take_ticket(conn: sa.Connection, raw: str, now: int) -> tuple[Grant | None, str]:
    grant = redeem(conn, "ticket", raw, now)
    return grant, "" if grant is None else issue(conn, "resume", grant, now)
