"""Retracting a message of a room."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import partial

import sqlalchemy as sa

from shiny_labchat.domain.commands import Command, EndStream, Retract
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.messages import Message, MessageText
from shiny_labchat.errors import Refused
from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import Log, Outcome, event_at, find_room
from shiny_labchat.store.queries import ends_of
from shiny_labchat.store.retraction import has_been_retracted, newest_checkpoint
from shiny_labchat.streams.remote import content_of

__all__ = ["retract", "seq_in"]

ENDED = 2**62
"""Stands for a checkpoint after which there can be none."""


def seq_in(room: LogKey, message: object) -> int:
    """
    The seq of a message that a programme gives.

    Raises
    ------
    TypeError, ValueError
        It is neither a message nor a seq; it is a message of another room.
    """
    if isinstance(message, MessageText):
        message = message.message
    if isinstance(message, Message):
        if message.room is not None and message.room != room:
            raise ValueError(
                f"message: it is of room {message.room.id!r} of study {message.room.study!r}, and "
                f"not of room {room.id!r} of study {room.study!r}"
            )
        return message.seq
    if isinstance(message, bool) or not isinstance(message, int):
        raise TypeError(
            "message must be a Message, as functions and room.messages() give it, or its seq, "
            f"not {type(message).__name__}"
        )
    return message


async def retract(
    log: Log,
    live: LiveRooms,
    room: LogKey,
    submit: Callable[[Command], Awaitable[Outcome]],
    command: Retract,
) -> None:
    """
    Retract a message of a room; a stream that runs is ended in the same transaction.

    The server that runs it hears of that as all others do, and stops it (`OpenStreams.finish`).

    Raises
    ------
    Refused
        ``no_message``: there is no such message.
    """
    while True:
        whole = await log.read(partial(_with_ending, room=room, command=command))
        if whole is None:
            return
        events, opened = (await submit(whole)).events, live.opened(room)
        if events:
            break
        if opened is not None:  # it grows so fast that what is stored is never all of it
            opened.stop_stream(command.of)
    while opened is not None and opened.state.seq < events[-1].seq and await opened.catch_up():
        pass  # who reads it here after this call reads what is left


def _with_ending(conn: sa.Connection, room: LogKey, command: Retract) -> Retract | None:
    """
    The command with the end of the message's stream, if its server has not ended that.

    None: it was retracted already.
    """
    found = find_room(conn, room)
    if found is None:
        raise Refused("no_room", room.id)
    number = found[0]
    if has_been_retracted(conn, number, command.of):
        return None
    opening = event_at(conn, number, command.of)
    if opening is None or "live" not in opening.data:
        return command
    ends = ends_of(conn, number, command.of)
    if not ends:
        upto = newest_checkpoint(conn, number, command.of)
        return replace(command, ending=_stopped(conn, number, opening), upto=upto)
    if ends[-1].data["is"] != "interrupted":
        return command
    kept = EndStream.of_stream(opening, ends[-1].data["parts"], "interrupted", ())
    # Its server may go on, and end it later: it has ended for good now.
    return replace(command, ending=replace(kept, how="stopped"), upto=ENDED)


def _stopped(conn: sa.Connection, number: int, opening: Event) -> EndStream:
    """The end of a stream of which this is all that is stored."""
    stream = content_of(conn, number, opening)
    end = EndStream.of_stream(opening, stream.parts, "stopped", stream.deps)
    return replace(end, pieces=stream.pieces)
