"""
When something is to be done in a room by the clock of its people. Pure.

Whether it is done, the rule for `Trigger` decides.
"""

from __future__ import annotations

from typing import NamedTuple

from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import is_timed
from shiny_labchat.domain.state import RoomState

__all__ = ["ASKED", "Moment", "due_at", "in_digits", "is_for"]

ASKED = "ask"
"""The name of a trigger that no clock has set off: the app asks a bot to write."""


class Moment(NamedTuple):
    """
    A moment of a room's time; one of its fields is not None.

    Parameters
    ----------
    after
        So many seconds after the time of its people has started.
    before_close
        So many seconds before it is over.
    """

    after: float | None = None
    before_close: float | None = None

    @property
    def name(self) -> str:
        """What it is called on record, such as "at 120"."""
        if self.after is not None:
            return f"at {in_digits(self.after)}"
        assert self.before_close is not None
        return f"before_close {in_digits(self.before_close)}"


def in_digits(seconds: float) -> str:
    """A number as people write it: 120, not 120.0."""
    return str(int(seconds)) if seconds == int(seconds) else repr(float(seconds))


def due_at(state: RoomState, moment: Moment) -> int | None:
    """
    When a moment of a room's time is, in microseconds since 1970 (UTC), as far as is known now.

    None: its time has not started, stands still, or has no end; or the room is closed. While the
    time stands still, no moment comes. In a room whose time does not start, it counts from when
    people could use the room.
    """
    clock = state.clock
    if not (state.is_open and state.is_shown) or clock.paused:
        return None
    begun = clock.begun(state.rules) if is_timed(state.rules) else state.opened_at
    if not begun:
        return None
    if moment.after is not None:
        return begun + clock.held + round(moment.after * SECOND)
    if state.deadline is None or moment.before_close is None:
        return None
    return max(begun, state.deadline - round(moment.before_close * SECOND))


def is_for(event: Event, callback: str) -> bool:
    """Whether an event is for a callback: not what it has posted itself, nor others' triggers."""
    if event.kind == "triggered":
        return event.data["callback"] == callback
    return event.data.get("cause") != callback
