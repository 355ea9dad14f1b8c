"""The rooms whose people have a time that runs, or that is to start."""

from __future__ import annotations

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.schema import OF_CLOCK, event, room

__all__ = ["rooms_with_clocks"]


def rooms_with_clocks(conn: sa.Connection) -> list[LogKey]:
    """The rooms that wait for their start, or have started, and were not closed since."""
    return [LogKey(study, id) for study, id in conn.execute(_WITH_CLOCKS)]


_closing = event.alias("closing")
_is_closed = sa.exists().where(
    _closing.c.room == event.c.room,
    _closing.c.kind == "closed",
    _closing.c.seq > event.c.seq,
    sa.text(str(OF_CLOCK).replace("kind", "closing.kind")),
)
_running = sa.select(event.c.room).where(
    OF_CLOCK, event.c.kind.in_(("started", "waiting")), ~_is_closed
)
_WITH_CLOCKS = (
    sa.select(room.c.study, room.c.id).where(room.c.key.in_(_running)).order_by(room.c.key)
)
