"""
Tickets and resume tokens: what a page opens its sockets with. The server alone decides.

A page asks its Shiny session, which gives it a ticket; the ticket opens one socket, once. What a
browser claims about itself is never believed: all it can show is a random token.
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
    What a socket was opened with: the log, the rights, and the token to come back with.

    `waits` tells that what its page says is transformed by the app before anybody is shown it.
    """

    log: Log
    room: RoomKey
    member: str
    page: str
    resume: str
    waits: bool = False


async def ticket(log: Log, room: RoomKey, member: str, page: str, *, waits: bool = False) -> str:
    """A ticket that lets a member's page open one socket to a room; see `Entry`."""
    # Tokens say it, so that no process ever takes such a page's words as they are.
    grant = Grant(member, room, page=page, data={"waits": True} if waits else {})
    return await log.write(lambda conn, now: issue(conn, "ticket", grant, now))


async def enter(logs: Iterable[Log], token: str, is_resume: bool) -> Entry:
    """
    Take a ticket, or a resume token, of whichever lab gave it out.

    Parameters
    ----------
    logs
        The logs of the labs that this process has open.
    token, is_resume
        What a browser has, and which of the two it is.

    Raises
    ------
    Refused
        ``ticket``: it is unknown, has run out, or was used before.
    """
    trouble: StoreError | None = None
    for log in logs:
        try:
            entry = await _enter(log, token, is_resume)
        except StoreError as exc:
            trouble = exc  # another lab may be well
            continue
        if entry is not None:
            return entry
    raise trouble or Refused("ticket")


async def _enter(log: Log, token: str, is_resume: bool) -> Entry | None:
    if not log.exists:
        return None
    kind, resume = ("resume", token) if is_resume else ("ticket", "")
    grant = await log.read(lambda conn: look_up(conn, kind, token))
    if grant is not None and not is_resume:  # only now is it worth a commit
        grant, resume = await log.write(lambda conn, now: _take_ticket(conn, token, now))
    if grant is None or grant.room is None:
        return None
    waits = bool(grant.data.get("waits"))
    return Entry(log, grant.room, grant.member, grant.page or "", resume, waits)


def _take_ticket(conn: sa.Connection, raw: str, now: int) -> tuple[Grant | None, str]:
    grant = redeem(conn, "ticket", raw, now)
    return grant, "" if grant is None else issue(conn, "resume", grant, now)
