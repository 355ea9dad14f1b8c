"""
Streams of other processes.

Streams whose server has ended are ended with their checkpoints, whether or not anybody has the
room open. Streams that another process still runs are shown up to their last checkpoint, for which
each process asks the database while there are such streams in a room that is open in it. So
checkpoints need not be announced: they move no head of a room.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Iterable
from contextlib import suppress
from dataclasses import replace

import sqlalchemy as sa

from shiny_labchat.domain import commands
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.errors import LabChatError
from shiny_labchat.store import Log, checkpoints, event_at, find_room, leases, room_number
from shiny_labchat.streams.content import StreamContent
from shiny_labchat.streams.open_streams import OpenStreams

__all__ = ["content_of", "end_overdue", "watch_over"]

logger = logging.getLogger("shiny_labchat")

POLL_INTERVAL = 0.25
"""Pause between two reads of other processes' streams in rooms open here, in seconds."""
LEAST_PAUSE = 0.04
"""The same while a bus says that they have grown."""


async def end_overdue(
    log: Log, own: Collection[checkpoints.StreamKey], key: LogKey | None = None
) -> None:
    """
    End the streams of a room (None: of all) whose server has ended.

    Parameters
    ----------
    log, key
        The log and the room.
    own
        The streams that this process runs, by their rooms and seqs. They are never ended here,
        even if their leases have expired.
    """

    def read(conn: sa.Connection) -> tuple[list[checkpoints.StreamKey], bool]:
        now = leases.lease_time(conn)
        found = None if key is None else find_room(conn, key)
        if key is not None and found is None:
            return [], False
        return checkpoints.overdue(conn, now, found and found[0]), checkpoints.are_too_long(
            conn, now
        )

    overdue, are_too_long = await log.read(read)
    if are_too_long:
        await log.write(lambda conn, now: checkpoints.shorten(conn, leases.lease_time(conn)))
    for room, seq in overdue:
        if (room, seq) not in own:
            await _end(log, room, await _kept(log, room, seq))


async def _kept(log: Log, key: LogKey, seq: int) -> StreamContent:
    """A stream up to its last checkpoint."""

    def read(conn: sa.Connection) -> StreamContent:
        number = room_number(conn, key)
        opening = event_at(conn, number, seq)
        assert opening is not None
        return content_of(conn, number, opening)

    return await log.read(read)


def content_of(conn: sa.Connection, number: int, opening: Event) -> StreamContent:
    """What is stored of a stream that an event of a room has opened, and that has not ended."""
    stream = StreamContent(opening)
    kept = checkpoints.kept(conn, number, {}).get(opening.seq)
    if kept is not None:
        _take_in(stream, kept.checkpoints)
    return stream


def _take_in(stream: StreamContent, changes: Iterable[checkpoints.Checkpoint]) -> None:
    for change in changes:
        if change.keep is not None:
            stream.truncate_units(change.keep)
        stream.add(change.parts, change.deps)
        if change.piece is not None:
            stream.pieces.append(change.piece)


async def _end(log: Log, key: LogKey, stream: StreamContent) -> None:
    logger.warning("stream %d in room %r was interrupted: its server has ended", stream.seq, key.id)
    end = commands.EndStream.of_stream(stream.opening, stream.parts, "interrupted", stream.deps)
    outcome = await log.submit(key, replace(end, pieces=stream.pieces))
    if outcome.is_repeat:  # it had ended already, but a process kept more of it
        await log.write(lambda conn, now: checkpoints.drop(conn, key, stream.seq))


# ── in rooms that are open here ──


async def watch_over(
    log: Log,
    key: LogKey,
    number: int,
    streams: OpenStreams,
    is_used: Callable[[], bool],
    have_grown: asyncio.Event,
) -> None:
    """
    Follow the streams of a room that other processes run, until there are none.

    Parameters
    ----------
    log, key, number
        The log, and the room's key and its number in the database.
    streams
        Its open streams.
    is_used
        Whether anybody has the room open here.
    have_grown
        Is set when another process says that some have grown.
    """
    seen: dict[int, int] = {}
    while is_used() and (foreign := [s for s in streams.open.values() if s.stop is None]):
        try:
            found, now = await log.read(
                lambda conn: (checkpoints.kept(conn, number, seen), leases.lease_time(conn))
            )
            for stream in foreign:
                await _look_at(log, key, stream, found.get(stream.seq), seen, now)
            streams.show((stream, stream.end) for stream in foreign if stream.stop is None)
        except LabChatError as exc:
            logger.error(
                "other processes' streams in room %r could not be read; trying again: %s",
                *(key.id, exc),
            )
        except Exception:
            logger.exception(
                "other processes' streams in room %r could not be read; trying again", key.id
            )
        await _pause(have_grown)


async def _pause(have_grown: asyncio.Event) -> None:
    """Wait until some have grown, or for `POLL_INTERVAL`."""
    await asyncio.sleep(LEAST_PAUSE)
    with suppress(TimeoutError):
        async with asyncio.timeout(POLL_INTERVAL - LEAST_PAUSE):
            await have_grown.wait()
    have_grown.clear()


async def _look_at(
    log: Log,
    key: LogKey,
    stream: StreamContent,
    kept: checkpoints.Checkpoints | None,
    seen: dict[int, int],
    now: int,
) -> None:
    if stream.stop is not None:
        return  # it is this process's own by now: its content is newer than any checkpoint
    if kept is not None:
        said = stream if stream.seq in seen else StreamContent(stream.opening)
        _take_in(said, kept.checkpoints)
        if said is not stream:
            stream.become(said.parts, said.deps)
        seen[stream.seq] = kept.last
    until = stream.opening.at + leases.LEASE if kept is None else kept.until
    if until < now:
        await _end(log, key, stream)
