"""A room's messages, all of them, for programmes that read the room whole. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from shiny_labchat._domain import Event, Message, RoomState, Seat, message_of

__all__ = ["Conversation"]


class Conversation:
    """
    All messages of a room, made once and shared by whoever reads them.

    Parameters
    ----------
    events
        The room's events so far, in order; others than messages are passed over.
    """

    def __init__(self, events: Iterable[Event]) -> None:
        self._messages: list[Message] = []
        self._has_private = False
        self._read: dict[tuple[int, str | None], tuple[Message, ...]] = {}
        self.add(events)

    def add(self, events: Iterable[Event]) -> None:
        """Take in what has happened since."""
        self._read.clear()
        for event in events:
            if event.kind == "message":
                self._messages.append(message_of(event))
                self._has_private = self._has_private or "audience" in event.data

    def seen(self, room: RoomState, viewer: Seat, upto: int) -> tuple[Message, ...]:
        """What a viewer may see of it up to a seq, since the room was last cleared."""
        whose = viewer.member if self._has_private else None
        if (upto, whose) not in self._read:
            self._read[upto, whose] = tuple(
                message
                for message in self._messages
                if room.cleared < message.seq <= upto and (whose is None or message.is_for(whose))
            )
        return self._read[upto, whose]
