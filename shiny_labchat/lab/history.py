"""The messages of a room, read from its log."""

from __future__ import annotations

import logging
from operator import attrgetter

import sqlalchemy as sa

from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.messages import Message, is_message, message_of, was_said
from shiny_labchat.domain.withdrawal import CHANGES
from shiny_labchat.errors import StoreError
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.slices import SLICE, in_slices
from shiny_labchat.store import (
    Log,
    checkpoints,
    events_after,
    find_room,
    leases,
    messages_between,
    studies_with,
)

__all__ = ["said"]

logger = logging.getLogger("shiny_labchat")


async def said(
    log: Log, key: LogKey, after: int, limit: int | None, last: int | None
) -> list[Message]:
    """
    The messages of a room, see `Room.messages`.

    Open streams are not messages yet, and withheld messages never are. Streams whose server has
    ended are ended here, with their checkpoints.
    """
    span = key, after, limit, last
    reading = await _read(log, _Reading(*span))
    if reading.is_overdue:
        try:
            await Runtime.of(log).end_overdue(key)
        except StoreError as exc:
            logger.error(
                "streams in room %r whose server has ended could not be ended: %s", key.id, exc
            )
        reading = await _read(log, _Reading(*span))
    return reading.messages()


async def _read(log: Log, reading: _Reading) -> _Reading:
    """Read to the end; again, if what was read first has become another one meanwhile."""
    while True:
        await in_slices(log, reading.read)
        if not reading.is_outdated:
            return reading
        reading = reading.anew()


class _Reading:
    """
    The messages of a room, read and made slice by slice in readers' threads.

    Parameters
    ----------
    key, after, limit, last
        See `Room.messages`. Messages that come after the first slice was read are left out.

    Attributes
    ----------
    is_overdue
        Whether there are streams whose server has ended.
    is_outdated
        Whether earlier messages have become others since they were read, see `changes_the_past`.
    """

    def __init__(self, key: LogKey, after: int, limit: int | None, last: int | None) -> None:
        self.is_overdue = False
        self.is_outdated = False
        self._asked = key, after, limit, last
        self._head = 0
        self._is_first = True
        self._key = key
        self._after, self._before = after, 0
        self._most = limit if last is None else last
        self._is_newest_first = last is not None
        self._number: int | None = None
        self._made: list[Message] = []

    def anew(self) -> _Reading:
        """The same, from the beginning."""
        return _Reading(*self._asked)

    def messages(self) -> list[Message]:
        """What was read, in order."""
        if self._is_newest_first:
            self._made.reverse()
        return self._made

    def read(self, conn: sa.Connection) -> bool:
        """Read the next slice; return whether there may be more."""
        are_more, was_first = self._read(conn), self._is_first
        self._is_first = False
        if not (are_more or was_first) and self._number is not None:
            since = events_after(conn, self._number, self._head, kinds=CHANGES)
            self.is_outdated = bool(since)
        return are_more

    def _read(self, conn: sa.Connection) -> bool:
        if self._number is None and not self._find(conn):
            return False
        assert self._number is not None
        wanted = SLICE if self._most is None else min(SLICE, self._most - len(self._made))
        seqs: list[int] = []
        made: list[Message] = []
        span = self._number, self._after, self._before, wanted
        for event in messages_between(conn, *span, newest=self._is_newest_first):
            seqs.append(event.seq)
            if is_message(event) and was_said(event):
                made.append(message_of(event, self._key))
        made.sort(key=attrgetter("seq"), reverse=self._is_newest_first)
        self._made += made
        if len(seqs) < wanted:
            return False
        if self._is_newest_first:
            self._before = min(seqs)
        else:
            self._after = max(seqs)
        return self._most is None or len(self._made) < self._most

    def _find(self, conn: sa.Connection) -> bool:
        found = find_room(conn, self._key)
        if found is None:
            _warn_of_study(conn, self._key)
            return False
        self._number, self._head = found
        self._before = self._head + 1
        self.is_overdue = bool(checkpoints.overdue(conn, leases.lease_time(conn), self._number))
        return self._most != 0


def _warn_of_study(conn: sa.Connection, key: LogKey) -> None:
    """Warn of a programme in another folder than the app's, which has not named the study."""
    others = studies_with(conn, key.id)
    if others:
        logger.warning(
            "study %r has no room %r, but study %s has one: name the study, as in "
            "lab.room(%r, study=%r)",
            *(key.study, key.id, ", ".join(map(repr, others)), key.id, others[0]),
        )
