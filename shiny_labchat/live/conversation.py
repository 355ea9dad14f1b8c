"""All messages of a room, for programmes that read the whole room. Pure."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator

from shiny_labchat.domain.events import Event, RoomKey
from shiny_labchat.domain.messages import (
    Message,
    is_for_models,
    is_instruction,
    message_of,
    settled,
    was_said,
)
from shiny_labchat.domain.state import Membership, RoomState

__all__ = ["Conversation"]


class Conversation:
    """
    All messages of a room, made once and shared by all readers.

    Parameters
    ----------
    events
        The room's events so far, in order; events that are not messages are ignored.
    room
        The room's key, for its messages.

    Attributes
    ----------
    ends
        For messages that were streams: the seq of the message, and the seq at which it ended.
    waits
        Whether the last message from a page was a held message.
    """

    def __init__(self, events: Iterable[Event], room: RoomKey | None = None) -> None:
        self.ends: dict[int, int] = {}
        self.waits = False
        self._room = room
        self._messages: list[Message] = []
        self._open: dict[int, Event] = {}
        self._has_private = False
        self._read: dict[tuple[int, int, str | None], tuple[Message, ...]] = {}
        self.add(events)

    def add(self, events: Iterable[Event]) -> None:
        """Add newer events."""
        self._read.clear()
        for event in events:
            if event.kind == "streamed" and event.data["of"] in self._open:
                self._put(settled(self._open[event.data["of"]], event))
            elif event.kind == "message" and "live" in event.data:
                self._open[event.seq] = event
            elif event.kind == "message":
                self._put(event)

    def _put(self, event: Event) -> None:
        if not was_said(event):
            return
        message = message_of(event, self._room)
        if event.data.get("page"):
            self.waits = "submitted" in event.data
        if "whole" in event.data:
            self.ends[event.seq] = event.data["whole"]
        at = bisect_left(self._messages, message.seq, key=_seq_of)
        self._messages[at : at + self._knows(message.seq, at)] = [message]
        self._has_private = self._has_private or not is_for_models(message)

    def _knows(self, seq: int, at: int) -> bool:
        return at < len(self._messages) and self._messages[at].seq == seq

    def public(self, after: int) -> list[Message]:
        """The messages after a seq that everybody may see."""
        return [m for m in self._messages if m.seq > after and m.audience is None]

    def told(self, after: int) -> list[Message]:
        """The messages after a seq that an app's model is told."""
        return [m for m in self._messages if m.seq > after and is_for_models(m)]

    def seen(
        self, room: RoomState, viewer: Membership, upto: int, also: Collection[int] = ()
    ) -> tuple[Message, ...]:
        """
        The messages up to a seq that a viewer may see, since their view was last cleared.

        The app's instructions to its model are among them: this is what an app reads. `also`
        are the seqs of later messages to include.
        """
        whose = viewer.member if self._has_private else None
        since = room.floor(viewer)
        known = self._read.get((since, upto, whose))
        if known is None:
            known = tuple(self._between(since, upto, whose))
            self._read[since, upto, whose] = known
        if not also:
            return known
        later = self._between(max(since, upto), max(also), whose)
        return (*known, *(message for message in later if message.seq in also))

    def _between(self, after: int, upto: int, whose: str | None) -> Iterator[Message]:
        first = bisect_right(self._messages, after, key=_seq_of)
        last = bisect_right(self._messages, upto, key=_seq_of)
        for message in self._messages[first:last]:
            if whose is None or is_instruction(message) or message.is_for(whose):
                yield message


def _seq_of(message: Message) -> int:
    return message.seq
