"""
The statements on a lab's tables of rooms and events.

``room``: one row for each log; `seq` is its head. ``event``: the logs. ``token``: the
sha256 of each token of a browser. A token has no data about a person in it, it cannot be edited,
and it is useless once its member is removed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from heapq import merge
from typing import Any

import orjson
import sqlalchemy as sa

from shiny_labchat.concurrency import unhurried
from shiny_labchat.domain.commands import STREAM, SUBMITTED
from shiny_labchat.domain.events import Event, LogKey, LogKind
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.logs import State, empty_state, fold_any_all
from shiny_labchat.domain.messages import settled
from shiny_labchat.domain.state import RoomState, fold_all
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.counts import with_counts
from shiny_labchat.store.schema import (
    LAST_COUNTS,
    MAKES_STATE,
    OF_STEPS,
    OF_TRIGGERS,
    event,
    open_stream,
    room,
)

__all__ = [
    "append_events",
    "data_of",
    "dependencies",
    "ends_of",
    "event_at",
    "event_of",
    "events_after",
    "events_as_written",
    "events_before",
    "find_cid",
    "find_room",
    "insert_events",
    "insert_room",
    "is_settled",
    "load_log",
    "load_state",
    "lobbies",
    "messages_between",
    "open_streams",
    "presences_after",
    "rewritten_row",
    "room_number",
    "rooms",
    "row_of",
    "steps_after",
    "studies",
    "studies_with",
    "studies_with_rooms",
    "submitted",
    "triggers_after",
    "visible_before",
    "whole_at",
]

ROWS_AT_ONCE = 100
"""Most seqs that one statement asks for."""

_FIELDS = (event.c.seq, event.c.at, event.c.kind, event.c.member, event.c.data, event.c.cid)


# ── reading ──────────────────────────────────────────────────────────────────────────────────


def find_room(conn: sa.Connection, key: LogKey) -> tuple[int, int] | None:
    """A log's number in the database, and its head; None: there is no such log."""
    row = conn.execute(_FIND_ROOM, key._asdict()).first()
    return None if row is None else (row[0], row[1])


def room_number(conn: sa.Connection, key: LogKey) -> int:
    """The number in the database of a room that must exist."""
    found = find_room(conn, key)
    assert found is not None
    return found[0]


def rooms(conn: sa.Connection, study: str | None = None) -> list[LogKey]:
    """The rooms of a study (None: all), in order of creation."""
    found = sa.select(room.c.study, room.c.id).where(_IS_ROOM).order_by(room.c.key)
    if study is not None:
        found = found.where(room.c.study == study)
    return [LogKey(*row) for row in conn.execute(found)]


def studies(conn: sa.Connection) -> list[str]:
    """The names of the studies that have people or settings, in order of creation."""
    told = sa.exists().where(event.c.room == room.c.key, event.c.kind != "exported")
    found = sa.select(room.c.study).where(room.c.kind == "study", told).order_by(room.c.key)
    return list(conn.execute(found).scalars())


def lobbies(conn: sa.Connection, study: str) -> list[str]:
    """The ids of the lobbies of a study, in order of creation."""
    found = sa.select(room.c.id).where(room.c.study == study, room.c.kind == "lobby")
    return list(conn.execute(found.order_by(room.c.key)).scalars())


def studies_with_rooms(conn: sa.Connection) -> list[str]:
    """The names of all studies, those that have rooms only, too, in order of creation."""
    found = sa.select(room.c.study).group_by(room.c.study).order_by(sa.func.min(room.c.key))
    return list(conn.execute(found).scalars())


def studies_with(conn: sa.Connection, id: str) -> list[str]:
    """The studies that have a room with this id, in order of its creation; at most five."""
    found = sa.select(room.c.study).where(room.c.id == id, _IS_ROOM)
    found = found.order_by(room.c.key).limit(5)
    return list(conn.execute(found).scalars())


def events_after(
    conn: sa.Connection,
    number: int,
    after: int,
    limit: int | None = None,
    kinds: Sequence[str] | None = None,
) -> list[Event]:
    """
    The events of a room after a seq, oldest first; `kinds` None: of all kinds.

    An ended stream is a complete message, see `settled`.
    """
    found = _EVENTS_AFTER if limit is None else _EVENTS_AFTER.limit(limit)
    if kinds is not None:
        found = found.where(event.c.kind.in_(kinds))
    rows = conn.execute(found, {"room": number, "after": after})
    return _with_ends(conn, number, [event_of(row) for row in rows])


def events_beyond(conn: sa.Connection, heads: Mapping[int, int]) -> dict[int, list[Event]]:
    """The events of rooms after a seq each, oldest first; streams as they were opened."""
    found: dict[int, list[Event]] = {number: [] for number in heads}
    for number, *row in engine_of(conn).events_beyond(conn, [*heads.items()]):
        found[number].append(event_of(row))
    return found


def events_as_written(
    conn: sa.Connection, number: int, after: int, limit: int, kinds: Sequence[str]
) -> list[Event]:
    """The events of some kinds after a seq, oldest first; streams as they were opened."""
    wanted = {"room": number, "after": after, "limit": limit, "kinds": kinds}
    return [event_of(row) for row in conn.execute(_EVENTS_AS_WRITTEN, wanted)]


def presences_after(conn: sa.Connection, number: int, after: int, limit: int) -> list[Event]:
    """The changes of members' presence after a seq, oldest first; found by an index of theirs."""
    wanted = {"room": number, "after": after, "limit": limit}
    return [event_of(row) for row in conn.execute(_PRESENCES_AFTER, wanted)]


def steps_after(
    conn: sa.Connection, number: int, after: int, limit: int, kinds: Sequence[str]
) -> list[Event]:
    """What happened to a group, or in a lobby, after a seq; found by an index of its kinds."""
    wanted = {"room": number, "after": after, "limit": limit, "kinds": kinds}
    return [event_of(row) for row in conn.execute(_STEPS_AFTER, wanted)]


def triggers_after(
    conn: sa.Connection, number: int, after: int, limit: int | None = None
) -> list[Event]:
    """What was to be done as a moment had come, after a seq; found by an index of its own."""
    wanted = {"room": number, "after": after}
    found = _TRIGGERS_AFTER if limit is None else _TRIGGERS_AFTER.limit(limit)
    return [event_of(row) for row in conn.execute(found, wanted)]


def event_at(conn: sa.Connection, number: int, seq: int) -> Event | None:
    """One event of a room, as it was written."""
    row = conn.execute(_EVENT_AT, {"room": number, "seq": seq}).first()
    return None if row is None else event_of(row)


def events_before(
    conn: sa.Connection, number: int, before: int, limit: int, kinds: Sequence[str]
) -> list[Event]:
    """The newest `limit` events of some kinds before a seq, newest first.

    An ended stream is a complete message, see `settled`.
    """
    found = (
        sa.select(*_FIELDS)
        .where(event.c.room == number, event.c.seq < before, event.c.kind.in_(kinds))
        .order_by(event.c.seq.desc())
        .limit(limit)
    )
    return _with_ends(conn, number, [event_of(row) for row in conn.execute(found)])


def visible_before(
    conn: sa.Connection,
    number: int,
    before: int,
    after: int,
    limit: int,
    member: str,
    hears_all: bool = False,
) -> list[Event]:
    """
    The newest `limit` messages after one seq and before another, newest first.

    Most messages that are private to others than the member are left out, in the database; a few
    may be among them. `hears_all`: what was heard in a network is not left out.
    """
    may_see = [event.c.member == member, engine_of(conn).may_name_in_audience(event.c.data, member)]
    if hears_all:
        may_see.append(event.c.data.like('%"by_network":%'))
    found = sa.select(*_FIELDS).where(
        event.c.room == number,
        event.c.seq > after,
        event.c.seq < before,
        event.c.kind == "message",
        sa.or_(*may_see),
    )
    rows = conn.execute(found.order_by(event.c.seq.desc()).limit(limit))
    return _with_ends(conn, number, [event_of(row) for row in rows])


def messages_between(
    conn: sa.Connection, number: int, after: int, before: int, limit: int, *, newest: bool = False
) -> Iterator[Event]:
    """
    Some messages of a room between two seqs, one by one: what is made of one takes its place.

    An ended stream is a complete message, see `settled`. Streams come after all others.

    Parameters
    ----------
    conn, number
        The connection, and the room's number.
    after, before
        Only messages after the one seq and before the other.
    limit, newest
        How many at most, and whether the newest of them, newest first.
    """
    found = _NEWEST_MESSAGES if newest else _OLDEST_MESSAGES
    wanted = {"room": number, "after": after, "before": before, "limit": limit}
    streams: list[Event] = []
    for row in conn.execute(found, wanted):
        event = event_of(row)
        if "live" in event.data:
            streams.append(event)
        else:
            yield event
    yield from _with_ends(conn, number, streams)


def _with_ends(conn: sa.Connection, number: int, events: list[Event]) -> list[Event]:
    opened = {each.seq: at for at, each in enumerate(events) if "live" in each.data}
    seqs = list(opened)
    for start in range(0, len(seqs), ROWS_AT_ONCE):
        some = seqs[start : start + ROWS_AT_ONCE]
        cids = [f"{STREAM}{seq}{mark}" for seq in some for mark in ("", "?")]
        found = _ENDS.where(event.c.cid.in_(cids))
        for row in conn.execute(found, {"room": number}):  # the true end comes last and wins
            ending = event_of(row)
            at = opened[ending.data["of"]]
            events[at] = settled(events[at], ending)
    return events


def open_streams(conn: sa.Connection, number: int) -> list[Event]:
    """The openings of a room's streams that may still grow."""
    seqs = conn.execute(_OPEN_STREAMS, {"room": number}).scalars().all()
    if not seqs:
        return []
    found = sa.select(*_FIELDS).where(event.c.room == number, event.c.seq.in_(seqs))
    found = found.order_by(event.c.seq)
    return _with_ends(conn, number, [event_of(row) for row in conn.execute(found)])


def submitted(conn: sa.Connection, number: int, after: int = 0) -> list[Event]:
    """The events after a seq that submit or resubmit messages still held, oldest first."""
    held = {row.seq for row in conn.execute(_HELD, {"room": number})}
    if not held:
        return []
    sent = events_after(conn, number, after, kinds=("submitted",))
    return [each for each in sent if HeldMessage.of(each).seq in held]


def is_settled(conn: sa.Connection, number: int, message: HeldMessage) -> bool:
    """Whether a held message has been published or withheld."""
    return find_cid(conn, number, message.member, message.cid) is not None


def load_state(conn: sa.Connection, number: int, upto: int, *, in_haste: bool = False) -> RoomState:
    """
    The state of a room at a seq.

    For speed, messages are not folded. A message changes only its author's allowance, so in this
    state all allowances are full; and how much they have sent, where the room counts that. Of
    presence and turns, only the last event of each kind and member is.

    Of a room with many members there are many rows; they are read with pauses for other threads,
    unless it is `in_haste`, as others wait for this thread.
    """
    wanted = {"room": number, "upto": upto}
    presences = sorted(conn.execute(_LAST_COUNTING, wanted), key=_seq_of)
    rows = merge(presences, conn.execute(_MAKING_STATE, wanted), key=_seq_of)
    events = map(event_of, rows)
    state = fold_all(RoomState(), events if in_haste else unhurried(events))._replace(seq=upto)
    return with_counts(conn, number, state) if state.counts_from else state


def load_log(
    conn: sa.Connection, number: int, upto: int, kind: LogKind, *, in_haste: bool = False
) -> State:
    """The state of a log of any kind at a seq; that of a room as `load_state` gives it."""
    if kind == "room":
        return load_state(conn, number, upto, in_haste=in_haste)
    events = map(event_of, conn.execute(_EVENTS_UPTO, {"room": number, "upto": upto}))
    return fold_any_all(empty_state(kind), events if in_haste else unhurried(events))


def _seq_of(row: Any) -> int:
    return row[0]


def dependencies(conn: sa.Connection, number: int) -> list[dict[str, Any]]:
    """The HTML dependencies of the UI in a room's messages."""
    found = sa.select(event.c.data).where(
        event.c.room == number,
        event.c.kind.in_(("message", "streamed")),
        event.c.data.like('%"deps":[{%'),
    )
    return [dep for (data,) in conn.execute(found) for dep in orjson.loads(data).get("deps", ())]


def find_cid(conn: sa.Connection, number: int, author: str, cid: str) -> Event | None:
    """The event made by an author's command with this id; None: there is none yet."""
    wanted = {"room": number, "author": author, "cid": cid}
    row = conn.execute(_FIND_CID, wanted).first()
    return None if row is None else event_of(row)


def whole_at(conn: sa.Connection, number: int, seq: int) -> Event:
    """The event that completes a message: itself, or the first end of its stream."""
    said = event_at(conn, number, seq)
    assert said is not None
    if "live" not in said.data:
        return said
    ends = ends_of(conn, number, seq)
    return ends[0] if ends else said


def ends_of(conn: sa.Connection, number: int, seq: int) -> list[Event]:
    """
    The ends of a stream, oldest first, as they were written.

    There are two if the stream was interrupted, because its server seemed to have ended, and the
    server itself ended it later.
    """
    wanted = {"room": number, "end": f"{STREAM}{seq}", "interrupted": f"{STREAM}{seq}?"}
    ends = [event_of(row) for row in conn.execute(_ENDS_OF, wanted)]
    return sorted(ends, key=lambda end: end.seq)


def event_of(row: Any) -> Event:
    """The event of a row with its fields, as they are selected here."""
    seq, at, kind, member, data, cid = row
    return Event(seq, at, kind, member, _loads(kind, data), cid)


# ── writing ──────────────────────────────────────────────────────────────────────────────────


def append_events(
    conn: sa.Connection,
    rows: Sequence[tuple[Any, ...]],
    moves: Sequence[tuple[int, int, int]],
) -> bool:
    """
    Append the rows of events, and move the heads of logs.

    Parameters
    ----------
    conn, rows
        The transaction, and the rows, see `row_of`.
    moves
        The logs' numbers, in ascending order, each with the old head and the new head.

    Returns
    -------
    bool
        Whether all logs had the expected old heads.
    """
    return engine_of(conn).append(conn, rows, moves)


def insert_room(conn: sa.Connection, key: LogKey) -> int:
    """Insert a log; return its number."""
    made = conn.execute(sa.insert(room).values(**key._asdict(), seq=0))
    assert made.inserted_primary_key is not None
    return made.inserted_primary_key[0]


def insert_events(conn: sa.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
    """Insert the rows of events; the heads of their logs move later, see `append_events`."""
    engine_of(conn).insert(conn, event, rows)


def row_of(number: int, entry: Event) -> tuple[Any, ...]:
    """
    The row of an event in the room with this number.

    Raises
    ------
    TypeError, ValueError
        Its data is not JSON, or has a lone surrogate, which no database takes.
    """
    data = data_of(entry.kind, entry.data)
    author = entry.member or ""
    return number, entry.seq, entry.at, entry.kind, entry.member, data, author, entry.cid


def rewritten_row(number: int, after: Event) -> tuple[Any, ...]:
    """What `rewrite_events` takes, of an event as it is to be from now on."""
    data = data_of(after.kind, after.data)
    return number, after.seq, after.member, after.member or "", data, after.cid


def data_of(kind: str, data: Mapping[str, Any]) -> str:
    """
    The data of an event of a kind as its row has it.

    Raises
    ------
    TypeError, ValueError
        It is not JSON, or has a lone surrogate.
    """
    if kind != "recorded":
        return orjson.dumps(data).decode()
    # The study's own data may have integers of any size, and NaN must be an error, not null.
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    text.encode()
    return text


def _loads(kind: str, data: str) -> dict[str, Any]:
    return json.loads(data) if kind == "recorded" else orjson.loads(data)


_EVENTS_UPTO = (
    sa.select(*_FIELDS)
    .where(event.c.room == sa.bindparam("room"), event.c.seq <= sa.bindparam("upto"))
    .order_by(event.c.seq)
)
_MAKING_STATE = _EVENTS_UPTO.where(MAKES_STATE)
_newest = sa.select(sa.func.max(event.c.seq)).where(
    event.c.room == sa.bindparam("room"), event.c.seq <= sa.bindparam("upto"), LAST_COUNTS
)
_LAST_COUNTING = sa.select(*_FIELDS).where(
    event.c.room == sa.bindparam("room"),
    event.c.seq.in_(_newest.group_by(event.c.kind, event.c.member)),
)
_FIND_ROOM = sa.select(room.c.key, room.c.seq).where(
    *(room.c[name] == sa.bindparam(name) for name in LogKey._fields)
)
_IS_ROOM = room.c.kind == "room"
_EVENTS_AFTER = (
    sa.select(*_FIELDS)
    .where(event.c.room == sa.bindparam("room"), event.c.seq > sa.bindparam("after"))
    .order_by(event.c.seq)
)
_MESSAGES = sa.select(*_FIELDS).where(
    event.c.room == sa.bindparam("room"),
    event.c.seq > sa.bindparam("after"),
    event.c.seq < sa.bindparam("before"),
    event.c.kind == "message",
)
_OLDEST_MESSAGES = _MESSAGES.order_by(event.c.seq).limit(sa.bindparam("limit"))
_NEWEST_MESSAGES = _MESSAGES.order_by(event.c.seq.desc()).limit(sa.bindparam("limit"))
_EVENTS_AS_WRITTEN = _EVENTS_AFTER.where(
    event.c.kind.in_(sa.bindparam("kinds", expanding=True))
).limit(sa.bindparam("limit"))
_PRESENCES_AFTER = _EVENTS_AFTER.where(LAST_COUNTS, event.c.kind == "presence").limit(
    sa.bindparam("limit")
)
_STEPS_AFTER = _EVENTS_AFTER.where(
    OF_STEPS, event.c.kind.in_(sa.bindparam("kinds", expanding=True))
).limit(sa.bindparam("limit"))
_TRIGGERS_AFTER = _EVENTS_AFTER.where(OF_TRIGGERS)
_EVENT_AT = sa.select(*_FIELDS).where(
    event.c.room == sa.bindparam("room"), event.c.seq == sa.bindparam("seq")
)
_BY_PROGRAMME = sa.select(*_FIELDS).where(
    event.c.room == sa.bindparam("room"), event.c.author == ""
)
_ENDS = _BY_PROGRAMME.order_by(event.c.cid.desc())
# No ORDER BY: with one, SQLite would read the whole room by seq, not these two rows by cid.
_ENDS_OF = _BY_PROGRAMME.where(
    (event.c.cid == sa.bindparam("end")) | (event.c.cid == sa.bindparam("interrupted"))
)
_OPEN_STREAMS = sa.select(open_stream.c.seq).where(open_stream.c.room == sa.bindparam("room"))
_FIND_CID = sa.select(*_FIELDS).where(
    event.c.room == sa.bindparam("room"),
    event.c.author == sa.bindparam("author"),
    event.c.cid == sa.bindparam("cid"),
)
_settling = event.alias("settling")
_HELD = sa.select(event.c.seq).where(
    event.c.room == sa.bindparam("room"),
    event.c.kind == "submitted",
    event.c.cid.not_like(f"{SUBMITTED}%"),  # these resubmit a message
    ~sa.exists().where(
        _settling.c.room == event.c.room,
        _settling.c.author == event.c.author,
        _settling.c.cid == sa.literal(SUBMITTED).concat(sa.cast(event.c.seq, sa.String)),
    ),
)
