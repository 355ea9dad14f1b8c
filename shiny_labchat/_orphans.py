"""
Streams that another process runs, or ran: shown as far as they are kept, and ended if it is gone.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence

from shiny_labchat import _commands
from shiny_labchat._domain import RoomKey
from shiny_labchat._streams import OpenStream, Streams
from shiny_labchat.errors import LabChatError
from shiny_labchat.store import Log, drafts

__all__ = ["watch_over"]

logger = logging.getLogger("shiny_labchat")

LOOK = 1.0
"""How often other processes' streams are looked at, in seconds."""


async def watch_over(
    log: Log, key: RoomKey, number: int, streams: Streams, is_used: Callable[[], bool]
) -> None:
    """
    Follow the streams of a room that other processes run, until there are none.

    Parameters
    ----------
    log, key, number
        The room.
    streams
        Its open streams.
    is_used
        Whether anybody has the room open here.
    """
    while is_used() and (foreign := [s for s in streams.open.values() if s.stop is None]):
        try:
            found = await log.read(lambda conn: drafts.load(conn, number))
            for stream in foreign:
                await _look_at(log, key, stream, found.get(stream.seq, []))
            streams.changed()
        except LabChatError as exc:
            logger.error("the streams of room %r could not be looked at: %s", key.id, exc)
        await asyncio.sleep(LOOK)


async def _look_at(
    log: Log, key: RoomKey, stream: OpenStream, pieces: Sequence[drafts.Draft]
) -> None:
    said = OpenStream(stream.opening)
    for piece in pieces:
        said.add(piece.parts, piece.deps)
    if pieces:
        stream.become(said.parts, said.deps)
    until = max((piece.until for piece in pieces), default=stream.opening.at + drafts.LEASE)
    if until >= time.time_ns() // 1000 or stream.stop is not None:
        return
    logger.warning("a stream in room %r was interrupted: its server is gone", key.id)
    audience = stream.opening.data.get("audience")
    end = _commands.EndStream(stream.seq, stream.parts, "interrupted", stream.deps, audience)
    await log.submit(key, end)
    await log.write(lambda conn, now: drafts.drop(conn, key, stream.seq))
