"""
Tickets and resume tokens, with which a page opens its sockets.

A page asks its Shiny session for a ticket; the ticket opens one socket, once. The server does not
rely on anything that a browser says about itself: the random token decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from shiny_labchat.access.revoking import Source, check_source
from shiny_labchat.domain.events import LogKey
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
    by
        The kind of the token by which the page was let in; None: the app named its person.
    """

    log: Log
    room: LogKey
    member: str
    page: str
    resume: str
    waits: bool = False
    shows_observers: bool = False
    by: str | None = None


async def ticket(
    log: Log,
    room: LogKey,
    member: str,
    page: str,
    *,
    waits: bool = False,
    shows_observers: bool = False,
    source: Source | None = None,
) -> str:
    """
    Make a ticket with which a member's page opens one socket; see `Entry`.

    `source` is the token by which the page was let in: when that is revoked, so is the ticket.

    Raises
    ------
    Refused
        ``revoked``: it was revoked already.
    """
    # `waits` is in the token, so that no process publishes such a page's messages untransformed.
    settings = {"waits": waits, "shows_observers": shows_observers}
    data: dict[str, Any] = {name: True for name, is_set in settings.items() if is_set}
    if source is not None:
        data[_SOURCE] = source
    grant = Grant(member, room, page=page, data=data)

    def make(conn: sa.Connection, now: int) -> str:
        check_source(conn, source)
        return issue(conn, "ticket", grant, now)

    return await log.write(make)


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
        ``ticket``: the token is unknown, has expired, or was used before. ``revoked``: the page
        was let in by a token that was revoked since.
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
    grant = await log.read(lambda conn: _find(conn, kind, token))
    if grant is not None and not is_resume:  # a commit only for a ticket that exists
        grant, resume = await log.write(lambda conn, now: _take_ticket(conn, token, now))
    if grant is None or grant.room is None:
        return None
    waits, shows = (bool(grant.data.get(name)) for name in ("waits", "shows_observers"))
    source = _source_of(grant)
    by = source and source.kind
    return Entry(log, grant.room, grant.member, grant.page or "", resume, waits, shows, by)


def _find(conn: sa.Connection, kind: str, raw: str) -> Grant | None:
    grant = look_up(conn, kind, raw)
    if grant is not None:
        check_source(conn, _source_of(grant))
    return grant


def _source_of(grant: Grant) -> Source | None:
    found = grant.data.get(_SOURCE)
    return None if found is None else Source(*found[:2])


_SOURCE = "source"


def _take_ticket(conn: sa.Connection, raw: str, now: int) -> tuple[Grant | None, str]:
    grant = redeem(conn, "ticket", raw, now)
    return grant, "" if grant is None else issue(conn, "resume", grant, now)
