"""
The sockets of a room that have all that they are owed, and are sent what is new in one go.

Nothing is asked of each of them: they have one cursor and one position in each stream, and the
frame that follows from these is made and encoded once. Whatever concerns one of them alone ends
this for it. Then it asks the room for what it is owed, as any follower does.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from shiny_labchat import protocol
from shiny_labchat.domain.events import Event
from shiny_labchat.streams.content import Position

__all__ = ["Broadcast", "Receiver", "is_for_all"]


class Receiver(Protocol):
    """A socket, as its room knows it."""

    @property
    def member(self) -> str:
        """The member whose socket it is."""
        ...

    def hear(self, events: Sequence[Event]) -> None:
        """Have what is owed sent; the events are new in the room."""
        ...

    @property
    def write(self) -> Callable[[bytes], bool]:
        """Sends a frame of the websocket at once; False: it cannot be sent so."""
        ...

    def resume(self, cursor: int, has: Mapping[int, Position]) -> None:
        """Go on by itself from a cursor, and from positions in the open streams."""
        ...


class Broadcast:
    """
    The receivers of a room that have all up to one cursor.

    Attributes
    ----------
    cursor
        The seq up to which they have all that they may see.
    has
        Their position in each open stream.
    """

    def __init__(self) -> None:
        self.cursor = 0
        self.has: Mapping[int, Position] = {}
        self._receivers: dict[Receiver, None] = {}

    @property
    def viewer(self) -> str | None:
        """The member of one of them, as all are owed the same; None: there are none."""
        return next((receiver.member for receiver in self._receivers), None)

    def add(self, receiver: Receiver, cursor: int, has: Mapping[int, Position]) -> None:
        """Send what comes later to a receiver, too, which has as much as all others."""
        assert not self._receivers or (cursor, has) == (self.cursor, self.has)
        self.cursor, self.has = cursor, has
        self._receivers[receiver] = None

    def end(self, receiver: Receiver) -> bool:
        """Let a receiver go on by itself; return whether it was one of these."""
        if receiver not in self._receivers:
            return False
        del self._receivers[receiver]
        receiver.resume(self.cursor, self.has)
        return True

    def end_all(self) -> list[Receiver]:
        """Let all go on by themselves; return them."""
        receivers = [*self._receivers]
        for receiver in receivers:
            self.end(receiver)
        return receivers

    def send(
        self, text: str | None, cursor: int, has: Mapping[int, Position] | None = None
    ) -> list[Receiver]:
        """
        Send all of them a frame (None: nothing), after which they are at a cursor.

        `has` are their positions after it in the streams that it is of.

        Returns
        -------
        list
            Those that could not be sent it: they have gone on by themselves, from where they were.
        """
        frame = b"" if text is None else protocol.text_frame(text)
        behind = [receiver for receiver in self._receivers if frame and not receiver.write(frame)]
        for receiver in behind:
            self.end(receiver)
        self.cursor, self.has = cursor, {**self.has, **(has or {})}
        return behind


def is_for_all(event: Event) -> bool:
    """Whether an event is nothing but a message that all are shown alike, or shown to nobody."""
    data = event.data
    is_message = event.kind == "message" and "audience" not in data and "live" not in data
    return is_message or event.kind == "presence"
