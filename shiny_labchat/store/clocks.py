"""The rooms whose people have a time that runs, or that is to start."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy.sql.selectable import NamedFromClause

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.schema import MAKES_STATE, OF_CLOCK, event, room

__all__ = ["MovedClock", "clocks_moved", "makes_state_after"]


class MovedClock(NamedTuple):
    """
    A room that has, or had, a time, and in which something has happened.

    Parameters
    ----------
    key, number, seq
        The room, its number in the database, and the head of its log.
    is_running
        Whether it waits for its start, or has started, and was not closed since.
    """

    key: LogKey
    number: int
    seq: int
    is_running: bool


def clocks_moved(conn: sa.Connection, since: int) -> tuple[list[MovedClock], int]:
    """
    The rooms with a time in which something has happened, and where the next look begins.

    A look costs what has happened, however many rooms there are.

    Parameters
    ----------
    since
        What the last look gave; `EVER`: all rooms.
    """
    until = engine_of(conn).last_moved(conn)
    rows = conn.execute(_MOVED, {"since": since})
    return [MovedClock(LogKey(study, id), *rest) for study, id, *rest in rows], until


def makes_state_after(conn: sa.Connection, number: int, seq: int) -> bool:
    """Whether something that counts in a room's state comes after a seq; messages do not."""
    wanted = {"room": number, "after": seq}
    return conn.execute(_MAKING_STATE, wanted).first() is not None


def _of_clock(
    of: NamedFromClause[Any], room: sa.ColumnElement[int], *more: sa.ColumnElement[bool]
) -> sa.Exists:
    """Whether there is such an event of a room's clock; an index has these only."""
    is_of = sa.text(str(OF_CLOCK).replace("kind", f"{of.name}.kind"))
    return sa.select(of.c.seq).where(of.c.room == room, is_of, *more).exists()


_clock, _begun, _closing = (event.alias(name) for name in ("clock", "begun", "closing"))
_is_closed = _of_clock(
    *(_closing, _begun.c.room, _closing.c.kind == "closed", _closing.c.seq > _begun.c.seq)
)
_is_running = _of_clock(
    *(_begun, room.c.key, _begun.c.kind.in_(("started", "waiting")), ~_is_closed)
)
_MOVED = sa.select(*(room.c.study, room.c.id, room.c.key, room.c.seq), _is_running).where(
    room.c.touched > sa.bindparam("since"), room.c.kind == "room", _of_clock(_clock, room.c.key)
)
_MAKING_STATE = sa.select(event.c.seq).where(
    event.c.room == sa.bindparam("room"), event.c.seq > sa.bindparam("after"), MAKES_STATE
)
