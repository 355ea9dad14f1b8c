"""Held messages whose page has gone before the app's transform was done."""

from __future__ import annotations

import logging
from collections.abc import Callable

import sqlalchemy as sa

from shiny_labchat.domain.events import RoomKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.store import Log, find_room, submitted

__all__ = ["publish_left"]

logger = logging.getLogger("shiny_labchat")


async def publish_left(log: Log, key: RoomKey, is_here: Callable[[str], bool]) -> None:
    """
    Publish the held messages of pages that have gone, as they were written.

    Parameters
    ----------
    log, key
        The log, and the room's key.
    is_here
        Whether a page is connected; its session then transforms its messages.
    """

    def read(conn: sa.Connection) -> list[HeldMessage]:
        found = find_room(conn, key)
        return [] if found is None else [HeldMessage.of(e) for e in submitted(conn, found[0])]

    try:
        held = await log.read(read)
        here = {message.seq for message in held if is_here(message.page)}
        for message in {each.seq: each for each in held if each.seq not in here}.values():
            await _publish(log, key, message)
    except LabChatError as exc:
        logger.error("held messages of room %r stay held until it opens again: %s", key.id, exc)


async def _publish(log: Log, key: RoomKey, message: HeldMessage) -> None:
    try:
        await log.submit(key, message.publish(None))
    except Refused as exc:  # allowed when it was sent, but not any more
        await log.submit(key, message.withhold(code=exc.code))
