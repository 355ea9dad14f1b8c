"""
Checkpoints of open streams, so that a crash does not lose their content.

A stream has a draft, the rows of its checkpoints, from its opening to its end. The draft has a
lease, which the stream's process renews. When the lease is over, the process counts as ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
import sqlalchemy as sa

from shiny_labchat.domain.events import Part, RoomKey
from shiny_labchat.store.leases import LEASE, LONGEST
from shiny_labchat.store.queries import room_number
from shiny_labchat.store.schema import draft, room

__all__ = [
    "LEASE",
    "Checkpoint",
    "Checkpoints",
    "are_too_long",
    "begin",
    "drop",
    "keep",
    "kept",
    "overdue",
    "renew",
    "shorten",
]


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
    """

    parts: Sequence[Part]
    deps: Sequence[Mapping[str, Any]] = ()
    keep: int | None = None


@dataclass(frozen=True, slots=True)
class Checkpoints:
    """
    The draft of a stream.

    Parameters
    ----------
    until
        The end of its lease, in microseconds since 1970 (UTC).
    last
        The number of its last row.
    checkpoints
        The rows that were asked for, in order.
    """

    until: int
    last: int
    checkpoints: Sequence[Checkpoint]


def begin(conn: sa.Connection, now: int, number: int, seq: int) -> None:
    """Begin the draft of a new stream, with a lease, in the room with this number."""
    empty = {
        "room": number,
        "seq": seq,
        "row": 0,
        "until": now + LEASE,
        "data": _dumps(Checkpoint([])),
    }
    conn.execute(sa.insert(draft).values(**empty))


def keep(
    conn: sa.Connection, now: int, room: RoomKey, seq: int, row: int, checkpoint: Checkpoint
) -> None:
    """
    Store the change of a stream since its last row, and renew its lease.

    Parameters
    ----------
    now
        Microseconds since 1970 (UTC).
    room, seq
        The stream.
    row
        The number of this row, larger than those of the rows before it.
    checkpoint
        The change.
    """
    if checkpoint.keep == 0:
        drop(conn, room, seq)
    values = {"row": row, "until": now + LEASE, "data": _dumps(checkpoint)}
    conn.execute(sa.insert(draft).values(room=room_number(conn, room), seq=seq, **values))


def renew(conn: sa.Connection, now: int, room: RoomKey, seq: int) -> None:
    """Renew a stream's lease when its content has not changed."""
    same = draft.c.room == room_number(conn, room), draft.c.seq == seq
    conn.execute(sa.update(draft).where(*same).values(until=now + LEASE))


def shorten(conn: sa.Connection, now: int) -> None:
    """Shorten leases that are too long (see `LONGEST`) to the length of a new one."""
    far = draft.c.until > now + LONGEST
    conn.execute(sa.update(draft).where(far).values(until=now + LEASE))


def drop(conn: sa.Connection, room: RoomKey, seq: int) -> None:
    """Delete the draft of a stream."""
    conn.execute(
        sa.delete(draft).where(draft.c.room == room_number(conn, room), draft.c.seq == seq)
    )


def kept(conn: sa.Connection, number: int, seen: Mapping[int, int]) -> dict[int, Checkpoints]:
    """The drafts of a room by the seqs of their streams, with the rows not yet `seen`."""
    last, until = sa.func.max(draft.c.row), sa.func.max(draft.c.until)
    found = sa.select(draft.c.seq, last, until).where(draft.c.room == number).group_by(draft.c.seq)
    return {
        seq: Checkpoints(until, last, _after(conn, number, seq, seen.get(seq, -1)))
        for seq, last, until in conn.execute(found).all()
    }


def overdue(conn: sa.Connection, now: int, number: int | None = None) -> list[tuple[RoomKey, int]]:
    """The streams whose lease is over, of one room; `number` None: of all rooms."""
    found = (
        sa.select(room.c.study, room.c.id, draft.c.seq)
        .join(room, room.c.key == draft.c.room)
        .group_by(room.c.key, draft.c.seq)
        .having(sa.func.max(draft.c.until) < now)
    )
    if number is not None:
        found = found.where(draft.c.room == number)
    return [(RoomKey(study, id), seq) for study, id, seq in conn.execute(found)]


def are_too_long(conn: sa.Connection, now: int) -> bool:
    """Whether there are leases to `shorten`."""
    far = sa.select(draft.c.seq).where(draft.c.until > now + LONGEST).limit(1)
    return conn.execute(far).first() is not None


def _after(conn: sa.Connection, number: int, seq: int, row: int) -> list[Checkpoint]:
    these = draft.c.room == number, draft.c.seq == seq, draft.c.row > row
    found = sa.select(draft.c.data).where(*these).order_by(draft.c.row)
    return [_loads(data) for data in conn.execute(found).scalars()]


def _dumps(checkpoint: Checkpoint) -> str:
    return orjson.dumps([checkpoint.parts, checkpoint.deps, checkpoint.keep]).decode()


def _loads(data: str) -> Checkpoint:
    parts, deps, keep, *_ = orjson.loads(data)  # a newer version may add to it
    return Checkpoint([(kind, content) for kind, content in parts], deps, keep)
