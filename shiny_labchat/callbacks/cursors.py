"""
The cursor of each callback in each room, and the process that has the lease.

A process that begins a message first takes a lease: it stores that it has begun, and until when it
promises to renew. When the lease has expired, another process begins the same message again, and
knows that this is a further try.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, RoomKey
from shiny_labchat.domain.messages import is_message, settled, was_said
from shiny_labchat.domain.scope import Scope
from shiny_labchat.store.leases import LEASE, LONGEST
from shiny_labchat.store.queries import ends_of, event_at, events_as_written, find_room
from shiny_labchat.store.schema import callback, callback_room, event, room

__all__ = [
    "LEASE",
    "LONGEST",
    "Claim",
    "Cursor",
    "LeasedElsewhere",
    "Waiting",
    "advance",
    "register",
    "release",
    "renew",
    "shorten",
    "waiting",
]

PAGE = 20
"""Events read in one query when searching for the next message."""

_KINDS = ("message", "streamed")


@dataclass(frozen=True, slots=True)
class Cursor:
    """
    A callback in a room, as one process calls it.

    Parameters
    ----------
    callback
        The callback's name.
    since
        The newest room when the callback was first registered: in later rooms it begins with the
        first message.
    room
        The room.
    owner
        The process.
    """

    callback: str
    since: int
    room: RoomKey
    owner: str


class Claim(NamedTuple):
    """A message for a callback, the seq at which it was complete, and the number of the try."""

    message: Event
    at: int
    tries: int


class LeasedElsewhere(NamedTuple):
    """Another process has the lease, at least until then (microseconds since 1970, UTC)."""

    until: int


class Waiting(NamedTuple):
    """
    A room with messages that a callback has not handled.

    `is_new`: the callback has no cursor there yet. `until`: as in `LeasedElsewhere`; 0: no lease.
    """

    number: int
    room: RoomKey
    is_new: bool
    owner: str | None
    until: int


# ── registering ──────────────────────────────────────────────────────────────────────────────


def register(conn: sa.Connection, name: str, scope: Scope) -> int:
    """
    Register a callback for some rooms.

    The first time, its cursors are set to the end of these rooms: only new messages count.

    Returns
    -------
    int
        The newest room when the callback was first registered, see `Cursor`.
    """
    same = callback.c.name == name, callback.c.scope == scope.name
    since = conn.execute(sa.select(callback.c.since).where(*same)).scalar()
    if since is not None:
        return since
    newest = conn.execute(sa.select(sa.func.coalesce(sa.func.max(room.c.key), 0))).scalar_one()
    _begin_now(conn, name, scope)
    conn.execute(sa.insert(callback).values(name=name, scope=scope.name, since=newest))
    return newest


def _begin_now(conn: sa.Connection, name: str, scope: Scope) -> None:
    known = sa.select(callback_room.c.room).where(callback_room.c.callback == name)
    found = sa.select(room.c.key, room.c.study, room.c.id, room.c.seq)
    found = found.where(room.c.key.not_in(known))
    if scope.room is not None:
        found = found.where(room.c.study == scope.room.study, room.c.id == scope.room.id)
    rows = [
        {"callback": name, "room": number, "done": head, "tries": 0}
        for number, study, id, head in conn.execute(found)
        if scope.covers(RoomKey(study, id))
    ]
    if rows:
        conn.execute(sa.insert(callback_room), rows)


# ── from message to message ──────────────────────────────────────────────────────────────────


def advance(
    conn: sa.Connection, now: int, cursor: Cursor, finished: int | None = None
) -> Claim | LeasedElsewhere | None:
    """
    Move to the next message, and take the lease for it.

    Parameters
    ----------
    now
        Microseconds since 1970 (UTC).
    cursor
        The callback, the room and the process.
    finished
        The `at` of the last claim, if its message is done. None: it is not; the message that was
        begun is claimed again.

    Returns
    -------
    Claim, LeasedElsewhere or None
        None: all messages are handled.
    """
    found = find_room(conn, cursor.room)
    if found is None:
        return None
    number, head = found
    key = {"name": cursor.callback, "number": number}
    row = conn.execute(_STANDS, key).first()
    if row is None:
        done, begun, tries, owner, until = head if number <= cursor.since else 0, None, 0, None, 0
        conn.execute(sa.insert(callback_room).values(**_named(cursor, number), done=done, tries=0))
    else:
        done, begun, tries, owner, until = row
    if owner not in (None, cursor.owner) and until > now:
        return LeasedElsewhere(until)
    if finished is not None and finished > done:
        done, begun = finished, None
    following = _next(conn, number, done, cursor.callback)
    if following is None:
        conn.execute(_LEAVE, {**key, "head": head})
        return None
    message, at = following
    tries = tries + 1 if begun == at else 1
    news = {"past": done, "at": at, "times": tries, "who": cursor.owner, "expires": now + LEASE}
    conn.execute(_BEGIN, {**key, **news})
    return Claim(message, at, tries)


def _named(cursor: Cursor, number: int) -> dict[str, str | int]:
    return {"callback": cursor.callback, "room": number}


def _next(conn: sa.Connection, number: int, after: int, name: str) -> tuple[Event, int] | None:
    """The next message that was complete after a seq and is not the callback's own."""
    while events := events_as_written(conn, number, after, PAGE, _KINDS):
        for each in events:
            message = _whole(conn, number, each)
            if message is not None and message.data.get("cause") != name:
                return message, each.seq
        after = events[-1].seq
    return None


def _whole(conn: sa.Connection, number: int, said: Event) -> Event | None:
    """The message that this event completes; None: it is not complete yet, or was before."""
    if said.kind == "message":
        return said if is_message(said) else None
    if not was_said(said):
        return None
    of = said.data["of"]
    if any(end.seq < said.seq for end in ends_of(conn, number, of)):
        return None
    opening = event_at(conn, number, of)
    return None if opening is None else settled(opening, said)


def renew(conn: sa.Connection, now: int, owner: str) -> None:
    """Renew all leases of a process."""
    mine = sa.update(callback_room).where(callback_room.c.owner == owner)
    conn.execute(mine.values(until=now + LEASE))


def shorten(conn: sa.Connection, now: int) -> None:
    """Shorten leases that are too long (see `LONGEST`) to the length of a new one."""
    far = callback_room.c.until > now + LONGEST
    conn.execute(sa.update(callback_room).where(far).values(until=now + LEASE))


def release(conn: sa.Connection, cursor: Cursor, most: int, untried: Claim | None = None) -> None:
    """
    Give up the lease, so that another process can begin the message again.

    `most`: no more tries are counted than these, so that servers that are stopped again and again
    do not make the callback pass over a message.
    `untried`: the last claim, if the callback was not called for it yet; this try is not counted.
    """
    found = find_room(conn, cursor.room)
    if found is None:
        return
    mine = {"name": cursor.callback, "number": found[0], "who": cursor.owner}
    if untried is not None:
        conn.execute(_UNTRY, {**mine, "at": untried.at, "times": untried.tries})
    conn.execute(_RELEASE, {**mine, "most": most})


def waiting(conn: sa.Connection, name: str) -> list[Waiting]:
    """The rooms with messages that a callback has not handled."""
    return [
        Waiting(number, RoomKey(study, id), is_new, owner, until)
        for number, study, id, is_new, owner, until in conn.execute(_WAITING, {"name": name})
    ]


_HERE = (
    callback_room.c.callback == sa.bindparam("name"),
    callback_room.c.room == sa.bindparam("number"),
)
_UNTIL = sa.func.coalesce(callback_room.c.until, 0)
_STANDS = sa.select(
    callback_room.c.done,
    callback_room.c.begun,
    callback_room.c.tries,
    callback_room.c.owner,
    _UNTIL,
).where(*_HERE)
_FREE = {"owner": None, "until": None}
_LEAVE = (
    sa.update(callback_room)
    .where(*_HERE)
    .values(done=sa.bindparam("head"), begun=None, tries=0, **_FREE)
)
_BEGIN = (
    sa.update(callback_room)
    .where(*_HERE)
    .values(
        done=sa.bindparam("past"),
        begun=sa.bindparam("at"),
        tries=sa.bindparam("times"),
        owner=sa.bindparam("who"),
        until=sa.bindparam("expires"),
    )
)
_UNTRY = (
    sa.update(callback_room)
    .where(
        *_HERE,
        callback_room.c.owner == sa.bindparam("who"),
        callback_room.c.begun == sa.bindparam("at"),
        callback_room.c.tries == sa.bindparam("times"),
    )
    .values(tries=callback_room.c.tries - 1)
)
_TRIES, _MOST = callback_room.c.tries, sa.bindparam("most", type_=sa.Integer)
_RELEASE = (
    sa.update(callback_room)
    .where(*_HERE, callback_room.c.owner == sa.bindparam("who"))
    .values(tries=sa.case((_TRIES > _MOST, _MOST), else_=_TRIES), **_FREE)
)
_DONE = sa.func.coalesce(callback_room.c.done, 0)
_WAITING = (
    sa.select(
        room.c.key,
        room.c.study,
        room.c.id,
        callback_room.c.done.is_(None),
        callback_room.c.owner,
        _UNTIL,
    )
    .select_from(
        room.outerjoin(
            callback_room,
            sa.and_(
                callback_room.c.room == room.c.key,
                callback_room.c.callback == sa.bindparam("name"),
            ),
        )
    )
    .where(
        room.c.seq > _DONE,
        sa.exists().where(
            event.c.room == room.c.key, event.c.seq > _DONE, event.c.kind.in_(_KINDS)
        ),
    )
)
