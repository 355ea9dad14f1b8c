"""
Checkpoints of open streams: their content on disk, before anybody is shown it.

A stream has a lease from its opening to its end, which the stream's process renews. When the lease
is over, the process counts as ended. What is new in streams is stored in rows, which are in the
order of their commits, whatever their streams. So one commit changes one page of the file, however
many streams it is of. The rows are deleted when the streams have ended that were open with theirs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import orjson
import sqlalchemy as sa

from shiny_labchat.domain.commands import Piece
from shiny_labchat.domain.events import LogKey, Part
from shiny_labchat.domain.messages import is_retracted
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.leases import LEASE, LONGEST
from shiny_labchat.store.queries import event_at, find_room, room_number
from shiny_labchat.store.schema import checkpoint, open_stream, room

__all__ = [
    "LEASE",
    "MOST_DELETED",
    "Checkpoint",
    "Checkpoints",
    "Row",
    "StreamKey",
    "are_too_long",
    "begin",
    "drop",
    "keep",
    "kept",
    "overdue",
    "renew",
    "row_of",
    "shorten",
]

MOST_DELETED = 4_000
"""Most rows that the end of a stream deletes; the next end deletes further ones."""

StreamKey = tuple[LogKey, int]
"""A stream: its room and its seq."""


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """
    A change of a stream's content, as in `protocol.Chunk`.

    Parameters
    ----------
    parts
        As in a message; if the first is of kind "", it continues the last part before it.
    deps
        The HTML dependencies of the UI in these parts.
    keep
        How many units of the content before them stay; None: all.
    piece
        When it was shown, as in `EndStream.pieces`; None: an older version has not said.
    """

    parts: Sequence[Part]
    deps: Sequence[Mapping[str, Any]] = ()
    keep: int | None = None
    piece: Piece | None = None


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """
    What is stored of a stream.

    Parameters
    ----------
    until
        The end of its lease, as in `lease_time`.
    last
        The key of the newest row of all streams; later rows have larger keys.
    checkpoints
        The rows that were asked for, in order.
    """

    until: int
    last: int
    checkpoints: Sequence[Checkpoint]


class Row(NamedTuple):
    """
    A checkpoint of a stream, as it is stored. Made by `row_of`.

    Parameters
    ----------
    stream
        The stream.
    data
        The checkpoint, as text.
    is_anew
        Whether it has the whole content, so that the rows before it are not needed any more.
    """

    stream: StreamKey
    data: str
    is_anew: bool


def row_of(stream: StreamKey, change: Checkpoint) -> Row:
    """
    The row of a checkpoint.

    Raises
    ------
    TypeError
        Its content is not JSON.
    """
    return Row(stream, _dumps(change), change.keep == 0)


def begin(conn: sa.Connection, now: int, number: int, seq: int) -> None:
    """Begin the lease of a new stream in the room with this number."""
    lease = {"room": number, "seq": seq, "until": now + LEASE, "first": _next_key(conn)}
    conn.execute(sa.insert(open_stream).values(**lease))


def keep(conn: sa.Connection, now: int, rows: Sequence[Row]) -> set[StreamKey]:
    """
    Store checkpoints, of any number of streams; each only if its stream is in the log.

    Returns
    -------
    set
        The streams of those that were stored.
    """
    numbers = _open(conn)
    for stream in {row.stream for row in rows} - numbers.keys():
        number = _begin_again(conn, now, stream)
        if number is not None:
            numbers[stream] = number
    stored = [row for row in rows if row.stream in numbers]
    values = [
        (key, numbers[row.stream], row.stream[1], row.data)
        for key, row in enumerate(stored, _next_key(conn))
    ]
    engine_of(conn).insert(conn, checkpoint, values)
    for (key, number, seq, _), row in zip(values, stored, strict=True):
        if row.is_anew:
            this = open_stream.c.room == number, open_stream.c.seq == seq
            conn.execute(sa.update(open_stream).where(*this).values(first=key))
    return {row.stream for row in stored}


def renew(conn: sa.Connection, now: int, streams: Collection[StreamKey]) -> None:
    """Renew the leases of streams; of those that have ended there is none."""
    numbers = _open(conn)
    renewed = [
        {"of_room": numbers[stream], "of_seq": stream[1], "upto": now + LEASE}
        for stream in streams
        if stream in numbers
    ]
    if renewed:
        conn.execute(_RENEW, renewed)


def shorten(conn: sa.Connection, now: int) -> None:
    """Shorten leases that are too long (see `LONGEST`) to the length of a new one."""
    far = open_stream.c.until > now + LONGEST
    conn.execute(sa.update(open_stream).where(far).values(until=now + LEASE))


def drop(conn: sa.Connection, room: LogKey, seq: int, most: int = MOST_DELETED) -> None:
    """Delete the lease of a stream, and `most` of the rows that no open stream needs."""
    this = open_stream.c.room == room_number(conn, room), open_stream.c.seq == seq
    conn.execute(sa.delete(open_stream).where(*this))
    first = conn.execute(sa.select(sa.func.min(open_stream.c.first))).scalar()
    if first is None:
        conn.execute(sa.delete(checkpoint))  # without a condition, SQLite reads no rows
        return
    oldest = sa.select(sa.func.min(checkpoint.c.key)).scalar_subquery()
    old = checkpoint.c.key < first, checkpoint.c.key < oldest + most
    conn.execute(sa.delete(checkpoint).where(*old))


def kept(conn: sa.Connection, number: int, seen: Mapping[int, int]) -> dict[int, Checkpoints]:
    """The open streams of a room by their seqs, with the rows after the key last `seen` of each."""
    columns = open_stream.c.seq, open_stream.c.until, open_stream.c.first
    streams = conn.execute(sa.select(*columns).where(open_stream.c.room == number)).all()
    if not streams:
        return {}
    last = _next_key(conn) - 1
    after = {seq: max(first - 1, seen.get(seq, 0)) for seq, _, first in streams}
    changes: dict[int, list[Checkpoint]] = {seq: [] for seq in after}
    for key, seq, data in conn.execute(_AFTER, {"after": min(after.values()), "number": number}):
        if seq in after and key > after[seq]:
            changes[seq].append(_loads(data))
    return {seq: Checkpoints(until, last, changes[seq]) for seq, until, _ in streams}


def overdue(conn: sa.Connection, now: int, number: int | None = None) -> list[StreamKey]:
    """The streams whose lease is over, of one room; `number` None: of all rooms."""
    found = _STREAMS.where(open_stream.c.until < now)
    if number is not None:
        found = found.where(open_stream.c.room == number)
    return [(LogKey(study, id), seq) for _, study, id, seq in conn.execute(found)]


def are_too_long(conn: sa.Connection, now: int) -> bool:
    """Whether there are leases to `shorten`."""
    far = sa.select(open_stream.c.seq).where(open_stream.c.until > now + LONGEST).limit(1)
    return conn.execute(far).first() is not None


def _open(conn: sa.Connection) -> dict[StreamKey, int]:
    """The open streams of all rooms, with the numbers of their rooms."""
    found = conn.execute(_STREAMS)
    return {(LogKey(study, id), seq): number for number, study, id, seq in found}


def _begin_again(conn: sa.Connection, now: int, stream: StreamKey) -> int | None:
    """
    The room's number of a stream that another process has ended as overdue; None: of none.

    One that was retracted has ended for good.
    """
    key, seq = stream
    found = find_room(conn, key)
    opening = found and event_at(conn, found[0], seq)
    if found is None or opening is None or "live" not in opening.data or is_retracted(opening):
        return None
    begin(conn, now, found[0], seq)
    return found[0]


def _next_key(conn: sa.Connection) -> int:
    """
    The key of the next row.

    It is never smaller than that of an earlier row of a stream that is open, or than that of its
    lease, though the rows before these may all be deleted.
    """
    last, first = conn.execute(_NEXT).one()
    return max((last or 0) + 1, first or 1)


def _dumps(change: Checkpoint) -> str:
    return orjson.dumps([change.parts, change.deps, change.keep, change.piece]).decode()


def _loads(data: str) -> Checkpoint:
    parts, deps, keep, *more = orjson.loads(data)  # another version may have less, or add to it
    piece = tuple(more[0]) if more and more[0] else None
    return Checkpoint([(kind, content) for kind, content in parts], deps, keep, piece)


_STREAMS = sa.select(open_stream.c.room, room.c.study, room.c.id, open_stream.c.seq).join(
    room, room.c.key == open_stream.c.room
)
_NEXT = sa.select(
    sa.select(sa.func.max(checkpoint.c.key)).scalar_subquery(),
    sa.select(sa.func.max(open_stream.c.first)).scalar_subquery(),
)
_AFTER = (
    sa.select(checkpoint.c.key, checkpoint.c.seq, checkpoint.c.data)
    .where(checkpoint.c.key > sa.bindparam("after"), checkpoint.c.room == sa.bindparam("number"))
    .order_by(checkpoint.c.key)
)
_RENEW = (
    sa.update(open_stream)
    .where(
        open_stream.c.room == sa.bindparam("of_room"), open_stream.c.seq == sa.bindparam("of_seq")
    )
    .values(until=sa.bindparam("upto"))
)
