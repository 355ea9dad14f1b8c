"""How many messages of others there are since a bot's last one, without reading the whole room."""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Sequence
from itertools import islice
from typing import NamedTuple
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from shiny_labchat.caches import BoundedCache
from shiny_labchat.callbacks.cursors import messages_after
from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.messages import is_said_to, was_said
from shiny_labchat.store import Log, find_room
from shiny_labchat.store.queries import ends_of, event_at
from shiny_labchat.store.schema import event

__all__ = ["SinceOwn", "Whole", "since_own"]

COUNTS_BYTES = 16 * 2**20
"""Most memory of the counts of one log, in bytes."""
COUNT_BYTES = 512
"""Memory of one count without its seqs, in bytes; an estimate."""
READ_AT_ONCE = 1_000
"""Messages that are read in one go; another reader of the log can come between two."""


class Whole(NamedTuple):
    """A complete message: its seq, the seq at which it was complete, and its author, if talk."""

    seq: int
    at: int
    member: str | None


class SinceOwn:
    """
    Counts the messages of others since a bot's last one, message after message.

    Private messages, those that the bot has not heard, and those of programmes are no talk.

    Parameters
    ----------
    bot
        The bot's member id.
    upto
        The messages up to this seq do not count.

    Attributes
    ----------
    upto
        Messages that were complete up to this seq are counted.
    """

    def __init__(self, bot: str, upto: int = 0) -> None:
        self.upto = upto
        self._bot = bot
        self._since = 0
        self._ats = array("q")

    @property
    def size(self) -> int:
        """Its memory in bytes, estimated."""
        return COUNT_BYTES + self._ats.itemsize * len(self._ats)

    def add(self, message: Whole) -> None:
        """Count the next message; one that was counted before changes nothing."""
        if message.at <= self.upto:
            return
        self.upto = message.at
        if message.member == self._bot:
            self._since = max(self._since, message.seq)
            self._ats = self._ats[bisect_right(self._ats, self._since) :]
        elif message.member is not None:
            self._ats.append(message.at)

    def count(self, upto: int) -> int:
        """How many messages of others were complete after the bot's last one, up to a seq."""
        return bisect_right(self._ats, upto)


async def since_own(log: Log, room: LogKey, seed: str, bot: str, upto: Sequence[int]) -> list[int]:
    """
    How many messages of others there are in a room since a bot's last one.

    Parameters
    ----------
    log, room, bot
        The room and the bot.
    seed
        The room's seed: another room may have come in its place.
    upto
        For each answer, the seq up to which messages count, in ascending order.
    """
    counts, key = _counts.setdefault(log, BoundedCache(COUNTS_BYTES)), (room, seed, bot)
    count = counts.get(key)
    if count is None:
        count = SinceOwn(bot, await log.read(lambda conn: _before_last(conn, room, bot)))
    while count.upto < upto[-1]:
        after = count.upto
        new = await log.read(lambda conn, after=after: _read(conn, room, after, bot))
        for message in new:
            count.add(message)
        if len(new) < READ_AT_ONCE:
            break
    counts.put(key, count, count.size)
    return [count.count(each) for each in upto]


_Counts = BoundedCache[tuple[LogKey, str, str], SinceOwn]
_counts: WeakKeyDictionary[Log, _Counts] = WeakKeyDictionary()


def _read(conn: sa.Connection, room: LogKey, after: int, bot: str) -> list[Whole]:
    found = find_room(conn, room)
    if found is None:
        return []
    messages = islice(messages_after(conn, found[0], after, READ_AT_ONCE), READ_AT_ONCE)
    return [Whole(each.seq, at, _author(each, bot)) for each, at in messages]


def _author(message: Event, bot: str) -> str | None:
    is_talk = was_said(message) and is_said_to(message.data, bot)
    return message.member if is_talk else None


def _before_last(conn: sa.Connection, room: LogKey, bot: str) -> int:
    """The seq before the bot's last message, from which on messages count; 0: it has none."""
    found = find_room(conn, room)
    if found is None:
        return 0
    number, head = found
    seq = _own_before(conn, number, bot, head + 1)
    while seq:
        own = event_at(conn, number, seq)
        assert own is not None
        ends = ends_of(conn, number, seq) if "live" in own.data else [own]
        if ends and was_said(ends[0]) and is_said_to(own.data, bot):
            return seq - 1
        seq = _own_before(conn, number, bot, seq)
    return 0


def _own_before(conn: sa.Connection, number: int, bot: str, before: int) -> int:
    """The seq of a bot's newest message before a seq; 0: there is none."""
    where = {"room": number, "bot": bot, "before": before}
    return conn.execute(_OWN, where).scalar() or 0


_OWN = (
    sa.select(event.c.seq)
    .where(
        event.c.room == sa.bindparam("room"),
        event.c.seq < sa.bindparam("before"),
        event.c.kind == "message",
        event.c.member == sa.bindparam("bot"),
    )
    .order_by(event.c.seq.desc())
    .limit(1)
)
