"""The messages of a room, read from its log."""

from __future__ import annotations

import logging
import time

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, RoomKey
from shiny_labchat.domain.messages import is_message, was_said
from shiny_labchat.errors import StoreError
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Log, checkpoints, events_after, events_before, find_room, rooms

__all__ = ["said"]

logger = logging.getLogger("shiny_labchat")


async def said(
    log: Log, key: RoomKey, after: int, limit: int | None, last: int | None
) -> list[Event]:
    """
    The messages of a room, see `Room.messages`.

    Open streams are not messages yet, and withheld messages never are. Streams whose server has
    ended are ended here, with their checkpoints.
    """

    def read(conn: sa.Connection) -> tuple[list[Event], bool]:
        found = find_room(conn, key)
        if found is None:
            _warn_of_study(conn, key)
            return [], False
        number, seq = found
        is_overdue = bool(checkpoints.overdue(conn, time.time_ns() // 1000, number))
        if last is None:
            return _oldest(conn, number, after, limit), is_overdue
        newest = _newest(conn, number, seq + 1, last)
        return [event for event in reversed(newest) if event.seq > after], is_overdue

    events, is_overdue = await log.read(read)
    if not is_overdue:
        return events
    try:
        await Runtime.of(log).end_overdue(key)
    except StoreError as exc:
        logger.error(
            "streams in room %r whose server has ended could not be ended: %s", key.id, exc
        )
    return (await log.read(read))[0]


def _warn_of_study(conn: sa.Connection, key: RoomKey) -> None:
    """Warn of a programme in another folder than the app's, which has not named the study."""
    others = [each.study for each in rooms(conn) if each.id == key.id]
    if others:
        logger.warning(
            "study %r has no room %r, but study %s has one: name the study, as in "
            "lab.room(%r, study=%r)",
            *(key.study, key.id, ", ".join(map(repr, others[:5])), key.id, others[0]),
        )


def _oldest(conn: sa.Connection, number: int, after: int, limit: int | None) -> list[Event]:
    found: list[Event] = []
    while True:
        events = events_after(conn, number, after, limit, kinds=("message",))
        found += [event for event in events if _is_said(event)]
        if limit is None or len(events) < limit or len(found) >= limit:
            return found[:limit]
        after = events[-1].seq


def _newest(conn: sa.Connection, number: int, before: int, last: int) -> list[Event]:
    found: list[Event] = []
    while True:
        events = events_before(conn, number, before, last, ("message",))
        found += [event for event in events if _is_said(event)]
        if len(events) < last or len(found) >= last:
            return found[:last]
        before = events[-1].seq


def _is_said(event: Event) -> bool:
    return is_message(event) and was_said(event)
