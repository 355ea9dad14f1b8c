"""Messages for which a callback is not called, as it would have no effect."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa

from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.state import RoomState

__all__ = ["Complete", "Job", "Skip", "Skipped"]

Job = Callable[[sa.Connection, int], object]
"""Called in a transaction, with the connection and the time, in microseconds since 1970 (UTC)."""


class Complete(NamedTuple):
    """A message, and the seq at which it was complete."""

    message: Message
    at: int


class Skipped(NamedTuple):
    """
    The messages for which a callback is not called.

    Parameters
    ----------
    number
        How many of the first messages these are.
    job
        What is stored in the transaction that moves the cursor past them.
    """

    number: int
    job: Job


Skip = Callable[[Any, Sequence[Complete], RoomState | None], Awaitable[Skipped]]
"""
Decides for how many of the next messages of a room a callback is not called: those on which it
would have no effect but what `Skipped.job` stores. It may be asked again for the same messages.

It takes the room, the messages, and a state of the room after them, if one is known.
"""
