"""
The cursor of each callback in each room, and the process that has the lease.

A process that begins an event first takes a lease: it stores that it has begun, and until when it
promises to renew. When the lease has expired, another process begins the same event again, and
knows that this is a further try.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

import sqlalchemy as sa

from shiny_labchat.callbacks.kinds import KINDS, MESSAGES, Kind
from shiny_labchat.callbacks.skipping import Job
from shiny_labchat.domain.events import Event, LogKey, LogKind
from shiny_labchat.domain.scope import Scope
from shiny_labchat.domain.triggers import is_for
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.leases import LEASE, LONGEST, lease_time
from shiny_labchat.store.queries import find_room
from shiny_labchat.store.schema import callback, callback_room, event, room

__all__ = [
    "LEASE",
    "LONGEST",
    "Claim",
    "Cursor",
    "LeasedElsewhere",
    "Upcoming",
    "Waiting",
    "advance",
    "messages_after",
    "pass_over",
    "register",
    "release",
    "renew",
    "shorten",
    "skip",
    "upcoming",
    "waiting",
]

PAGE = 20
"""Events read in one query when searching for the next one that is handled."""
UPCOMING = 100
"""Most messages that are looked at ahead, to find those that need no call."""


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
    kind
        What the callback is called with.
    """

    callback: str
    since: int
    room: LogKey
    owner: str
    kind: Kind = MESSAGES


class Claim(NamedTuple):
    """An event for a callback, the seq at which it was complete, and the number of the try."""

    event: Event
    at: int
    tries: int


class LeasedElsewhere(NamedTuple):
    """Another process has the lease, for at least so many microseconds."""

    left: int


class Upcoming(NamedTuple):
    """
    The messages after a cursor, which no process has begun.

    Parameters
    ----------
    done
        Where the cursor is.
    messages
        The messages, each with the seq at which it was complete; at most `UPCOMING`.
    """

    done: int
    messages: list[tuple[Event, int]]


class Waiting(NamedTuple):
    """
    A room with events that a callback has not handled.

    `is_new`: the callback has no cursor there yet. `until`: when the lease is over, as in
    `lease_time`; 0: no lease.
    """

    number: int
    room: LogKey
    is_new: bool
    owner: str | None
    until: int


# ── registering ──────────────────────────────────────────────────────────────────────────────


def register(conn: sa.Connection, name: str, scope: Scope, kind: Kind = MESSAGES) -> int:
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
    engine_of(conn).wait_for_rooms(conn)
    newest = conn.execute(sa.select(sa.func.coalesce(sa.func.max(room.c.key), 0))).scalar_one()
    _begin_now(conn, name, scope, kind.log)
    conn.execute(sa.insert(callback).values(name=name, scope=scope.name, since=newest))
    return newest


def _begin_now(conn: sa.Connection, name: str, scope: Scope, log: LogKind) -> None:
    known = sa.select(callback_room.c.room).where(callback_room.c.callback == name)
    found = sa.select(room.c.key, room.c.study, room.c.id, room.c.seq)
    found = found.where(room.c.key.not_in(known), room.c.kind == log)
    if scope.room is not None:
        found = found.where(room.c.study == scope.room.study, room.c.id == scope.room.id)
    rows = [
        {"callback": name, "room": number, "done": head, "tries": 0}
        for number, study, id, head in conn.execute(found)
        if scope.covers(LogKey(study, id, log))
    ]
    if rows:
        conn.execute(sa.insert(callback_room), rows)


def pass_over(conn: sa.Connection, heads: Iterable[tuple[int, int]]) -> None:
    """Set the cursors of all registered callbacks to the ends of new logs: number and seq."""
    names = conn.execute(sa.select(callback.c.name).distinct()).scalars().all()
    rows = [
        {"callback": name, "room": number, "done": seq, "tries": 0}
        for number, seq in heads
        for name in names
    ]
    if rows:
        conn.execute(sa.insert(callback_room), rows)


# ── from event to event ──────────────────────────────────────────────────────────────────────


def advance(
    conn: sa.Connection,
    now: int,
    cursor: Cursor,
    finished: int | None = None,
    *,
    claims: bool = True,
) -> Claim | LeasedElsewhere | None:
    """
    Move to the next event, and take the lease for it.

    Parameters
    ----------
    now
        The time, as in `lease_time`.
    cursor
        The callback, the room and the process.
    finished
        The `at` of the last claim, if its event is done. None: it is not; the event that was
        begun is claimed again.
    claims
        Whether to claim the next event; if not, the lease is given up.

    Returns
    -------
    Claim, LeasedElsewhere or None
        None: all events are handled, or `claims` is false.
    """
    found = find_room(conn, cursor.room)
    if found is None:
        return None
    number, head = found
    key = {"name": cursor.callback, "number": number}
    stands = _stands(conn, cursor, number, head)
    if stands.is_leased_elsewhere(cursor, now):
        return LeasedElsewhere(stands.until - now)
    done, begun = stands.done, stands.begun
    if finished is not None and finished > done:
        done, begun = finished, None
    following = next(_following(conn, number, done, cursor), None)
    if following is None or not claims:
        conn.execute(_LEAVE, {**key, "past": head if following is None else done})
        return None
    entry, at = following
    tries = stands.tries + 1 if begun == at else 1
    news = {"past": done, "at": at, "times": tries, "who": cursor.owner, "expires": now + LEASE}
    conn.execute(_BEGIN, {**key, **news})
    return Claim(entry, at, tries)


class _Stands(NamedTuple):
    """The row of a cursor."""

    done: int
    begun: int | None = None
    tries: int = 0
    owner: str | None = None
    until: int = 0

    def is_leased_elsewhere(self, cursor: Cursor, now: int) -> bool:
        return self.owner not in (None, cursor.owner) and self.until > now


def _stands(conn: sa.Connection, cursor: Cursor, number: int, head: int) -> _Stands:
    """The row of a cursor, made if there is none."""
    found = _found(conn, cursor, number)
    if found is not None:
        return found
    made = _first(cursor, number, head)
    row = {"callback": cursor.callback, "room": number, "done": made.done, "tries": 0}
    conn.execute(sa.insert(callback_room).values(**row))
    return made


def _found(conn: sa.Connection, cursor: Cursor, number: int) -> _Stands | None:
    row = conn.execute(_STANDS, {"name": cursor.callback, "number": number}).first()
    return None if row is None else _Stands(*row)


def _first(cursor: Cursor, number: int, head: int) -> _Stands:
    return _Stands(head if number <= cursor.since else 0)


def upcoming(conn: sa.Connection, cursor: Cursor) -> Upcoming | None:
    """
    The messages after a cursor; takes no lease.

    None: they must be claimed one by one, as one of them was begun, or another process has the
    lease; or there are none, and the cursor is not at the end of the log.
    """
    found = find_room(conn, cursor.room)
    if found is None:
        return Upcoming(0, [])
    number, head = found
    stands = _found(conn, cursor, number) or _first(cursor, number, head)
    if stands.begun is not None or stands.is_leased_elsewhere(cursor, lease_time(conn)):
        return None
    messages = list(islice(_following(conn, number, stands.done, cursor), UPCOMING))
    are_others = bool(cursor.kind.after(conn, number, stands.done, 1))
    return None if are_others and not messages else Upcoming(stands.done, messages)


def skip(
    conn: sa.Connection,
    now: int,
    cursor: Cursor,
    since: int,
    upto: int,
    job: Job,
) -> bool:
    """
    Move a cursor past messages for which its callback is not called.

    Parameters
    ----------
    now
        The clock's time, in microseconds since 1970 (UTC).
    cursor
        As in `advance`.
    since
        Where the cursor was when this was decided.
    upto
        The seq at which the last of these messages was complete.
    job
        Called with `conn` and `now`, to store why, unless another process was faster.

    Returns
    -------
    bool
        False: another process has the lease, or has moved the cursor.
    """
    found = find_room(conn, cursor.room)
    if found is None:
        return False
    number, head = found
    stands = _stands(conn, cursor, number, head)
    is_same = stands.done == since and stands.begun is None
    if not is_same or stands.is_leased_elsewhere(cursor, lease_time(conn)):
        return False
    job(conn, now)
    is_all = next(_following(conn, number, upto, cursor), None) is None
    key = {"name": cursor.callback, "number": number}
    conn.execute(_LEAVE, {**key, "past": head if is_all else upto})
    return True


def _following(
    conn: sa.Connection, number: int, after: int, cursor: Cursor
) -> Iterator[tuple[Event, int]]:
    """The events that were complete after a seq and are not the callback's own."""
    for entry, at in _complete_after(conn, number, after, PAGE, cursor.kind):
        if is_for(entry, cursor.callback):
            yield entry, at


def messages_after(
    conn: sa.Connection, number: int, after: int, page: int = PAGE
) -> Iterator[tuple[Event, int]]:
    """The messages that were complete after a seq, each with the seq at which it was."""
    return _complete_after(conn, number, after, page, MESSAGES)


def _complete_after(
    conn: sa.Connection, number: int, after: int, page: int, kind: Kind
) -> Iterator[tuple[Event, int]]:
    while events := kind.after(conn, number, after, page):
        for each in events:
            whole = kind.whole(conn, number, each)
            if whole is not None:
                yield whole, each.seq
        after = events[-1].seq


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
    Give up the lease, so that another process can begin the event again.

    `most`: no more tries are counted than these, so that servers that are stopped again and again
    do not make the callback pass over an event.
    `untried`: the last claim, if the callback was not called for it yet; this try is not counted.
    """
    found = find_room(conn, cursor.room)
    if found is None:
        return
    mine = {"name": cursor.callback, "number": found[0], "who": cursor.owner}
    if untried is not None:
        conn.execute(_UNTRY, {**mine, "at": untried.at, "times": untried.tries})
    conn.execute(_RELEASE, {**mine, "most": most})


def waiting(conn: sa.Connection, name: str, kind: Kind = MESSAGES) -> list[Waiting]:
    """The rooms with events that a callback has not handled."""
    return [
        Waiting(number, LogKey(study, id, kind.log), is_new, owner, until)
        for number, study, id, is_new, owner, until in conn.execute(
            _WAITING[kind.word], {"name": name}
        )
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
    .values(done=sa.bindparam("past"), begun=None, tries=0, **_FREE)
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
_KNOWN = sa.and_(
    callback_room.c.room == room.c.key, callback_room.c.callback == sa.bindparam("name")
)
_ROOMS = sa.select(
    room.c.key,
    room.c.study,
    room.c.id,
    callback_room.c.done.is_(None),
    callback_room.c.owner,
    _UNTIL,
).select_from(room.outerjoin(callback_room, _KNOWN))
_WAITING = {
    kind.word: _ROOMS.where(
        room.c.kind == kind.log,
        room.c.seq > _DONE,
        sa.exists().where(event.c.room == room.c.key, event.c.seq > _DONE, kind.is_event),
    )
    for kind in KINDS
}
