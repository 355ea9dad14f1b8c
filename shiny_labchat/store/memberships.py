"""The rooms of a person."""

from __future__ import annotations

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.schema import event, room

__all__ = ["rooms_of"]


def rooms_of(conn: sa.Connection, member: str, study: str | None = None) -> list[LogKey]:
    """
    The rooms of a study (None: of all) in which somebody is, or was, a member.

    Reads all logs: it is for what is done seldom.
    """
    joined = sa.select(event.c.room).where(event.c.kind == "joined", event.c.member == member)
    found = sa.select(room.c.study, room.c.id).order_by(room.c.key)
    found = found.where(room.c.key.in_(joined), room.c.kind == "room")
    if study is not None:
        found = found.where(room.c.study == study)
    return [LogKey(*row) for row in conn.execute(found)]
