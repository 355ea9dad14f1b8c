"""Messages in order, read as tuples that all their readers share. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from operator import attrgetter

from shiny_labchat.domain.messages import Message

__all__ = ["SEQ", "SharedMessages"]

SEQ = attrgetter("seq")
"""The seq of a message, as a key for `bisect`: without a call of a Python function for each."""
CUTS = 8
"""The most parts of the messages whose tuples are kept to be shared, besides that of them all."""


class SharedMessages:
    """
    Messages in order, which only grow; some are put between earlier ones, or in place of one.

    However many there are, a further message and a tuple of all of them cost a copy of pointers.

    Parameters
    ----------
    messages
        The first messages, in order.
    """

    def __init__(self, messages: Iterable[Message] = ()) -> None:
        self._told = tuple(messages)
        self._newer: list[Message] = []
        self._cuts: dict[tuple[int, int], tuple[Message, ...]] = {}

    def __len__(self) -> int:
        return len(self._told) + len(self._newer)

    @property
    def unread(self) -> int:
        """The number of messages that have come since these were last read."""
        return len(self._newer)

    def put(self, message: Message) -> None:
        """Add a message in its place; one with the same seq is replaced."""
        self._cuts.clear()
        if self._told and message.seq <= self._told[-1].seq:
            at = bisect_left(self._told, message.seq, key=SEQ)
            rest = at + (self._told[at].seq == message.seq)
            self._told = (*self._told[:at], message, *self._told[rest:])
        elif not self._newer or message.seq > self._newer[-1].seq:
            self._newer.append(message)
        else:
            at = bisect_left(self._newer, message.seq, key=SEQ)
            self._newer[at : at + (self._newer[at].seq == message.seq)] = [message]

    def all(self) -> tuple[Message, ...]:
        """All messages; the same tuple until there is another message."""
        if self._newer:
            self._told += tuple(self._newer)
            self._newer.clear()
        return self._told

    def between(self, after: int, upto: int) -> tuple[Message, ...]:
        """The messages after a seq, up to another; all who ask for the same get the same tuple."""
        told = self.all()
        first = bisect_right(told, after, key=SEQ)
        last = max(first, bisect_right(told, upto, key=SEQ))
        if last - first == len(told):
            return told
        known = self._cuts.get((first, last))
        if known is None:
            known = told[first:last]
            if len(self._cuts) == CUTS:
                self._cuts.clear()
            self._cuts[first, last] = known
        return known

    def at(self, seq: int) -> Message | None:
        """The message with a seq."""
        told = self.all()
        at = bisect_left(told, seq, key=SEQ)
        return told[at] if at < len(told) and told[at].seq == seq else None
