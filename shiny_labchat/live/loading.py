"""What a live room reads from its log, when it is opened and when it is opened again."""

from __future__ import annotations

from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.domain.state import RoomState
from shiny_labchat.domain.withdrawal import changes_the_past
from shiny_labchat.errors import Refused
from shiny_labchat.live.window import SHOWN, WINDOW
from shiny_labchat.store import (
    dependencies,
    event_at,
    events_after,
    events_before,
    find_room,
    load_state,
    open_streams,
    submitted,
)

__all__ = ["Missed", "Opened", "missed", "opened", "rewritten"]


class Opened(NamedTuple):
    """
    What is read first.

    Parameters
    ----------
    number
        The room's number in the database.
    state
        Its state.
    newest
        Its newest events for viewers, newest first; at most `WINDOW`.
    deps
        The HTML dependencies of the UI in its messages.
    streams
        The openings of its open streams.
    pages_of_held
        The pages whose messages are held.
    """

    number: int
    state: RoomState
    newest: list[Event]
    deps: list[dict[str, Any]]
    streams: list[Event]
    pages_of_held: set[str]


class Missed(NamedTuple):
    """What is read when the room is opened again: its new events, and as in `Opened`."""

    events: list[Event]
    pages_of_held: set[str]


def opened(conn: sa.Connection, key: LogKey) -> Opened:
    """
    Read a room.

    Raises
    ------
    Refused
        There is no such room.
    """
    number, seq = _found(conn, key)
    return Opened(
        number,
        load_state(conn, number, seq),
        events_before(conn, number, seq + 1, WINDOW, SHOWN),
        dependencies(conn, number),
        open_streams(conn, number),
        _pages_of_held(conn, number),
    )


def rewritten(
    conn: sa.Connection, key: LogKey, number: int, seq: int
) -> tuple[Opened, list[Event]]:
    """
    Read a room again in which earlier events are others now, and the events after a seq.

    Raises
    ------
    Refused
        There is no such room.
    """
    return opened(conn, key), events_after(conn, number, seq)


def missed(
    conn: sa.Connection, key: LogKey, number: int, state: RoomState, has_held: bool, most: int
) -> Missed | None:
    """
    Read what a room that was read before lacks; None: it is better read anew.

    That is so if more than `most` events are new, if one of them has changed the past (see
    `changes_the_past`), or if the database was replaced.

    Parameters
    ----------
    number, state
        The room's number in the database, and its state, as they were read before.
    has_held
        Whether messages have been held in it before.

    Raises
    ------
    Refused
        There is no such room.
    """
    found, head = _found(conn, key)
    if found != number or not 0 <= head - state.seq <= most:
        return None
    first = event_at(conn, number, 1)  # the database may have been replaced
    if first is None or first.data.get("seed", "") not in ("", state.seed):
        return None
    events = events_after(conn, number, state.seq)
    if any(map(changes_the_past, events)):
        return None
    has_held = has_held or any(event.kind == "submitted" for event in events)
    return Missed(events, _pages_of_held(conn, number) if has_held else set())


def _found(conn: sa.Connection, key: LogKey) -> tuple[int, int]:
    found = find_room(conn, key)
    if found is None:
        raise Refused("no_room", key.id)
    return found


def _pages_of_held(conn: sa.Connection, number: int) -> set[str]:
    return {HeldMessage.of(event).page for event in submitted(conn, number)}
