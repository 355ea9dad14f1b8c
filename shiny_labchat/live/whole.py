"""The whole conversation of a live room: read when somebody asks for it, kept while they read."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from weakref import WeakKeyDictionary, ref

import sqlalchemy as sa

from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.live.conversation import Conversation
from shiny_labchat.live.slices import SLICE, in_slices
from shiny_labchat.store import Log, messages_between

__all__ = ["KEPT_BYTES", "RecentlyRead", "Whole", "recently_read"]

KEPT_BYTES = 64 * 1024 * 1024
"""
What the conversations that were read last may take in memory, in each event loop, while nobody
reads them. A room that is read now and then, as by a model for each reply, is not read from the log
each time.
"""


class Whole:
    """
    The whole conversation of a live room, if it is in memory.

    It belongs to those who read it: it is in memory as long as one of them refers to it, and after
    that while it is among those that were read last.

    Parameters
    ----------
    log, key
        The log, and the room.
    """

    def __init__(self, log: Log, key: LogKey) -> None:
        self._log = log
        self._key = key
        self._known: ref[Conversation] | None = None
        self._loading: asyncio.Task[Conversation] | None = None
        self._missed: list[Event] = []
        self._upto = 0
        self._times_forgotten = 0

    @property
    def conversation(self) -> Conversation | None:
        """The conversation; None: it is not in memory."""
        return self._known and self._known()

    def add(self, events: Sequence[Event]) -> None:
        """Add newer events."""
        if self._loading is not None:
            self._missed += events
        known = self.conversation
        if known is not None:
            known.add(events)

    def forget(self, upto: int) -> None:
        """
        Forget what was read, as earlier messages are others now, see `changes_the_past`.

        Whoever still has it finds it empty. A reading that is under way begins again.

        Parameters
        ----------
        upto
            The seq of the last event that the live room has from now on.
        """
        known, self._known = self.conversation, None
        if known is not None:
            recently_read().forget(known)
            known.close()
        self._upto, self._missed = upto, []
        self._times_forgotten += 1

    def begin(self, events: Iterable[Event]) -> Conversation:
        """Make the conversation of all events of the room so far."""
        return self._have(Conversation(events, self._key))

    async def read(self, number: int, upto: int) -> Conversation:
        """
        Read the conversation from the log, in slices; for all who ask for it meanwhile.

        Parameters
        ----------
        number
            The room's number in the database.
        upto
            The seq of the last event of the live room. `add` is told of all later ones.

        Raises
        ------
        StoreError
            The log could not be read; whoever asks next tries again.
        """
        if self._loading is None:
            self._upto, self._missed = upto, []
            self._loading = asyncio.create_task(self._load(number))
            self._loading.add_done_callback(_retrieve)
        return await asyncio.shield(self._loading)

    async def _load(self, number: int) -> Conversation:
        try:
            while True:
                times, made = self._times_forgotten, Conversation(room=self._key)
                await in_slices(self._log, _Reading(made, number, self._upto).read)
                if times == self._times_forgotten:
                    break
            made.add(self._missed)
            # It may have been made meanwhile by somebody who could not wait.
            return self.conversation or self._have(made)
        finally:
            self._loading = None
            self._missed = []

    def read_now(self, number: int, upto: int, *, shared: bool) -> Conversation:
        """
        Read the conversation in this thread, which waits for it.

        `shared`: others read it, too, and `add` adds to it; only in the event loop's thread.
        """
        made = Conversation(room=self._key)
        reading = _Reading(made, number, upto)
        while self._log.read_now(reading.read):
            pass
        return self._have(made) if shared else made

    def _have(self, made: Conversation) -> Conversation:
        self._known = ref(made)
        recently_read().note(made)
        return made


def _retrieve(task: asyncio.Task[Conversation]) -> None:
    """Take a failure as heard of: all who waited for it may have been cancelled."""
    if not task.cancelled():
        task.exception()


class _Reading:
    """Reads a room's messages into a conversation, slice by slice, in readers' threads."""

    def __init__(self, into: Conversation, number: int, upto: int) -> None:
        self._into = into
        self._number = number
        self._after = 0
        self._before = upto + 1

    def read(self, conn: sa.Connection) -> bool:
        """Read the next slice; return whether there may be more."""
        found = messages_between(conn, self._number, self._after, self._before, limit=SLICE)
        events = [*found]  # if the database fails before they are all here, none is added
        self._into.add(events)
        self._after = max((event.seq for event in events), default=0)
        return len(events) == SLICE


class RecentlyRead:
    """
    The conversations that were read last, kept up to a size in all.

    Parameters
    ----------
    most
        The bytes that they may take in memory.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._sizes: dict[Conversation, int] = {}
        self._total = 0

    def note(self, conversation: Conversation) -> None:
        """Note that a conversation has been read just now; let go of those read longest ago."""
        size = conversation.size
        self._total -= self._sizes.pop(conversation, 0)
        if size > self._most:  # only those who read it keep it
            return
        self._sizes[conversation] = size
        self._total += size
        while self._total > self._most:
            self._total -= self._sizes.pop(next(iter(self._sizes)))

    def forget(self, conversation: Conversation) -> None:
        """Keep a conversation no longer."""
        self._total -= self._sizes.pop(conversation, 0)

    def clear(self) -> None:
        """Keep none of them any longer."""
        self._sizes.clear()
        self._total = 0


def recently_read() -> RecentlyRead:
    """The conversations that were read last in the running event loop."""
    return _recently_read.setdefault(asyncio.get_running_loop(), RecentlyRead())


_recently_read: WeakKeyDictionary[asyncio.AbstractEventLoop, RecentlyRead] = WeakKeyDictionary()
