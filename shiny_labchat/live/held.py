"""Held messages whose page has gone before the app's transform was done."""

from __future__ import annotations

import logging

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.held import HeldMessage
from shiny_labchat.errors import LabChatError, Refused
from shiny_labchat.store import Log, find_room, submitted

__all__ = ["publish_left"]

logger = logging.getLogger("shiny_labchat")


async def publish_left(log: Log, key: LogKey, page: str) -> None:
    """Publish the held messages of a page that has gone, as they were written."""

    def read(conn: sa.Connection) -> list[HeldMessage]:
        found = find_room(conn, key)
        return [] if found is None else [HeldMessage.of(e) for e in submitted(conn, found[0])]

    try:
        held = {message.seq: message for message in await log.read(read)}  # of its last page
        for message in held.values():
            if message.page == page:
                await _publish(log, key, message)
    except LabChatError as exc:
        logger.error("held messages of room %r stay held until it opens again: %s", key.id, exc)


async def _publish(log: Log, key: LogKey, message: HeldMessage) -> None:
    try:
        await log.submit(key, message.publish(None))
    except Refused as exc:  # allowed when it was sent, but not any more
        await log.submit(key, message.withhold(code=exc.code))
