"""
Tickets and resume tokens, with which a page opens its sockets.

A page asks its Shiny session for a ticket; the ticket opens one socket, to a room or to a study,
once. The server does not rely on anything that a browser says about itself: the random token
decides.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.access.revoking import Source, check_source
from shiny_labchat.domain.events import LogKey
from shiny_labchat.errors import Refused, StoreError
from shiny_labchat.store import Grant, Log, issue, look_up, redeem

__all__ = ["Entry", "StudyEntry", "enter", "enter_study", "study_ticket", "ticket"]


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
    Redeem a room's ticket, or check its resume token, in the lab that made it.

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
    log, grant, resume = await _entered(logs, _OF_ROOM, token, is_resume)
    if grant.room is None:
        raise Refused("ticket")
    waits, shows = (bool(grant.data.get(name)) for name in ("waits", "shows_observers"))
    source = _source_of(grant)
    by = source and source.kind
    return Entry(log, grant.room, grant.member, grant.page or "", resume, waits, shows, by)


class _Kinds(NamedTuple):
    """The kinds of the tokens that open a socket, and that open it again."""

    ticket: str
    resume: str


_OF_ROOM = _Kinds("ticket", "resume")
_OF_STUDY = _Kinds("study_ticket", "study_resume")


async def _entered(
    logs: Iterable[Log], kinds: _Kinds, token: str, is_resume: bool
) -> tuple[Log, Grant, str]:
    """The lab that made a token, what it stands for, and the new resume token, if any."""
    trouble: StoreError | None = None
    for log in logs:
        try:
            found = await _found(log, kinds, token, is_resume)
        except StoreError as exc:
            trouble = exc  # another lab's database may work
            continue
        if found is not None:
            return log, *found
    raise trouble or Refused("ticket")


async def _found(log: Log, kinds: _Kinds, token: str, is_resume: bool) -> tuple[Grant, str] | None:
    if not log.exists:
        return None
    grant = await log.read(lambda conn: _find(conn, kinds[is_resume], token))
    if grant is None or is_resume:
        return None if grant is None else (grant, token)
    # A commit only for a ticket that exists.
    grant, resume = await log.write(lambda conn, now: _take_ticket(conn, kinds, token, now))
    return None if grant is None else (grant, resume)


def _find(conn: sa.Connection, kind: str, raw: str) -> Grant | None:
    grant = look_up(conn, kind, raw)
    if grant is not None:
        check_source(conn, _source_of(grant))
    return grant


def _source_of(grant: Grant) -> Source | None:
    found = grant.data.get(_SOURCE)
    return None if found is None else Source(*found[:2])


_SOURCE = "source"


def _take_ticket(
    conn: sa.Connection, kinds: _Kinds, raw: str, now: int
) -> tuple[Grant | None, str]:
    grant = redeem(conn, kinds.ticket, raw, now)
    return grant, "" if grant is None else issue(conn, kinds.resume, grant, now)


# ── for a study ──────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True, slots=True)
class StudyEntry:
    """
    What a token lets a socket to a study do: as which person, and how to come back.

    Attributes
    ----------
    log, study, person, page
        The lab's log, the study, and whose page it is.
    lobby
        The lobby that the page shows, until the person has entered one; None: it shows none.
    resume
        The resume token, for the next socket of the page.
    generation
        The number of the page's browser among the person's, when it was let in.
    source
        The token by which the page was let in; None: the app named its person.
    """

    log: Log
    study: str
    person: str
    page: str
    lobby: str | None
    resume: str
    generation: int = 1
    source: Source | None = None


async def study_ticket(
    log: Log,
    study: str,
    person: str,
    page: str,
    *,
    generation: int = 1,
    lobby: str | None = None,
    source: Source | None = None,
) -> str:
    """
    Make a ticket with which a person's page opens one socket to a study; see `StudyEntry`.

    Raises
    ------
    Refused
        ``revoked``: the token by which the page was let in was revoked already.
    """
    data: dict[str, Any] = {"generation": generation}
    if lobby is not None:
        data["lobby"] = lobby
    if source is not None:
        data[_SOURCE] = source
    grant = Grant(person, study=study, page=page, data=data)

    def make(conn: sa.Connection, now: int) -> str:
        check_source(conn, source)
        return issue(conn, _OF_STUDY.ticket, grant, now)

    return await log.write(make)


async def enter_study(logs: Iterable[Log], token: str, is_resume: bool) -> StudyEntry:
    """
    Redeem a study's ticket, or check its resume token; as `enter`.

    Raises
    ------
    Refused
        As `enter`.
    """
    log, grant, resume = await _entered(logs, _OF_STUDY, token, is_resume)
    if grant.study is None:
        raise Refused("ticket")
    generation, lobby = grant.data.get("generation", 1), grant.data.get("lobby")
    who = grant.study, grant.member, grant.page or ""
    return StudyEntry(log, *who, lobby, resume, generation, _source_of(grant))
