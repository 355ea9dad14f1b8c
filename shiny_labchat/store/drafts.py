"""
What open streams have said, kept now and then so that a crash does not take it.

A draft is there from the opening of its stream to its end. It also says until when its process
has promised to be heard of again: if that has passed, nobody speaks any more.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson
import sqlalchemy as sa

from shiny_labchat._domain import Part, RoomKey
from shiny_labchat.store._tables import draft, find_room

__all__ = ["LEASE", "Draft", "drop", "keep", "load", "renew"]

LEASE = 6_000_000
"""For how long a process promises to go on, in microseconds."""


@dataclass(frozen=True, slots=True)
class Draft:
    """
    Some of what a stream has said, or all of it.

    Parameters
    ----------
    parts
        As in a message; a first kind of "" continues what came before.
    deps
        What the UI in all of it needs.
    until
        When its process must have been heard of again, in microseconds since 1970 (UTC).
    """

    parts: list[Part]
    deps: Sequence[Mapping[str, Any]] = field(default=())
    until: int = 0


def keep(conn: sa.Connection, now: int, room: RoomKey, seq: int, row: int, piece: Draft) -> None:
    """
    Keep what a stream has said since its last row, and promise to go on.

    Parameters
    ----------
    now
        Microseconds since 1970 (UTC).
    room, seq
        The stream.
    row
        The number of this piece; 0 begins anew.
    piece
        What was said.
    """
    if row == 0:
        drop(conn, room, seq)
    data = orjson.dumps({"parts": piece.parts, "deps": piece.deps}).decode()
    number = _number(conn, room)
    conn.execute(
        sa.insert(draft).values(room=number, seq=seq, row=row, until=now + LEASE, data=data)
    )


def renew(conn: sa.Connection, now: int, room: RoomKey, seq: int) -> None:
    """Promise to go on, though nothing new was said."""
    same = draft.c.room == _number(conn, room), draft.c.seq == seq
    conn.execute(sa.update(draft).where(*same).values(until=now + LEASE))


def drop(conn: sa.Connection, room: RoomKey, seq: int) -> None:
    """Forget the draft of a stream."""
    conn.execute(sa.delete(draft).where(draft.c.room == _number(conn, room), draft.c.seq == seq))


def load(conn: sa.Connection, number: int) -> dict[int, list[Draft]]:
    """The drafts of a room by the seqs of their streams, each in pieces."""
    found = (
        sa.select(draft.c.seq, draft.c.until, draft.c.data)
        .where(draft.c.room == number)
        .order_by(draft.c.seq, draft.c.row)
    )
    drafts: dict[int, list[Draft]] = {}
    for seq, until, data in conn.execute(found):
        read = orjson.loads(data)
        parts = [(kind, content) for kind, content in read["parts"]]
        drafts.setdefault(seq, []).append(Draft(parts, read["deps"], until))
    return drafts


def _number(conn: sa.Connection, room: RoomKey) -> int:
    found = find_room(conn, room)
    assert found is not None
    return found[0]
