"""All messages of a room, for programmes that read the whole room. Pure."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message, message_of, settled
from shiny_labchat.domain.state import Membership, RoomState

__all__ = ["Conversation"]


class Conversation:
    """
    All messages of a room, made once and shared by all readers.

    Parameters
    ----------
    events
        The room's events so far, in order; events that are not messages are ignored.

    Attributes
    ----------
    ends
        For messages that were streams: the seq of the message, and the seq at which it ended.
    waits
        Whether the last message from a page was a held message.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self.ends: dict[int, int] = {}
        self.waits = False
        self._messages: list[Message] = []
        self._open: dict[int, Event] = {}
        self._has_private = False
        self._read: dict[tuple[int, str | None], tuple[Message, ...]] = {}
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
        if event.data.get("is") == "withheld":  # it never became a message
            return
        message = message_of(event)
        if event.data.get("page"):
            self.waits = "submitted" in event.data
        if "whole" in event.data:
            self.ends[event.seq] = event.data["whole"]
        at = bisect_left(self._messages, message.seq, key=lambda known: known.seq)
        self._messages[at : at + self._knows(message.seq, at)] = [message]
        self._has_private = self._has_private or "audience" in event.data

    def _knows(self, seq: int, at: int) -> bool:
        return at < len(self._messages) and self._messages[at].seq == seq

    def public(self, after: int) -> list[Message]:
        """The messages after a seq that everybody may see."""
        return [m for m in self._messages if m.seq > after and m.audience is None]

    def seen(self, room: RoomState, viewer: Membership, upto: int) -> tuple[Message, ...]:
        """The messages up to a seq that a viewer may see, since the room was last cleared."""
        whose = viewer.member if self._has_private else None
        if (upto, whose) not in self._read:
            self._read[upto, whose] = tuple(
                message
                for message in self._messages
                if room.cleared < message.seq <= upto and (whose is None or message.is_for(whose))
            )
        return self._read[upto, whose]
