"""The rows of a message that is retracted."""

from __future__ import annotations

from dataclasses import replace

import sqlalchemy as sa

from shiny_labchat.domain.commands import EndStream, Retract
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import is_retracted
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.queries import ends_of, event_at, find_cid, rewritten_row
from shiny_labchat.store.schema import checkpoint, open_stream

__all__ = ["has_been_retracted", "mark", "newest_checkpoint", "with_rows"]


def with_rows(conn: sa.Connection, number: int, command: Retract) -> Retract:
    """The command with what its rule has to know of the rows of a room."""
    message = event_at(conn, number, command.of)
    if message is None or "live" not in message.data:
        return replace(command, message=message)
    end = find_cid(conn, number, "", EndStream(command.of, ()).cid)
    newest = newest_checkpoint(conn, number, command.of)
    return replace(command, message=message, end=end, newest=newest)


def newest_checkpoint(conn: sa.Connection, number: int, seq: int) -> int:
    """The key of the last checkpoint of an open stream in a room; 0: there is none."""
    first = sa.select(open_stream.c.first).where(
        open_stream.c.room == number, open_stream.c.seq == seq
    )
    newest = sa.select(sa.func.max(checkpoint.c.key)).where(
        checkpoint.c.room == number,
        checkpoint.c.seq == seq,
        checkpoint.c.key >= first.scalar_subquery(),
    )
    return conn.execute(newest).scalar() or 0


def mark(conn: sa.Connection, number: int, retracted: Event) -> None:
    """Mark the rows of the message that an event retracts, those of its stream's ends included."""
    message = event_at(conn, number, retracted.data["of"])
    assert message is not None
    ends = ends_of(conn, number, message.seq) if "live" in message.data else []
    marked = [
        each._replace(data={**each.data, "retracted": retracted.seq}) for each in (message, *ends)
    ]
    engine_of(conn).rewrite_events(conn, [rewritten_row(number, each) for each in marked])


def has_been_retracted(conn: sa.Connection, number: int, seq: int) -> bool:
    """Whether a message of a room was retracted."""
    message = event_at(conn, number, seq)
    return message is not None and message.kind == "message" and is_retracted(message)
