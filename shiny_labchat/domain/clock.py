"""
The clock of a room whose people have a time: when it has started, and when it is over.

It is decided by the log: who closes a room, and when they hear of it, changes nothing. Pure.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import Rules

__all__ = ["CLOCK_KINDS", "SECOND", "Clock"]

SECOND = 1_000_000
"""Microseconds."""
CLOCK_KINDS = ("extended", "opened", "paused", "resumed", "shown", "started", "waiting", "warned")
"""The kinds of events that change a clock."""


class Clock(NamedTuple):
    """
    The clock of a room; all times are in microseconds since 1970 (UTC), 0: not yet.

    Parameters
    ----------
    waits_since
        Since when those who are there wait for the others.
    started
        When it has started.
    shift
        By how much its end has moved: by pauses, and because the app has extended it.
    paused
        Since when it stands still; 0: it does not.
    missing
        The ids of those for whom it stands still.
    warned
        For how many seconds before the end, at least, people need no warning any more; None: for
        any.
    stood
        For how long it has stood still, all pauses that are over together.
    """

    waits_since: int = 0
    started: int = 0
    shift: int = 0
    paused: int = 0
    missing: tuple[str, ...] = ()
    warned: float | None = None
    stood: int = 0

    def deadline(self, rules: Rules) -> int | None:
        """When the time is over, or was when it began to stand still; None: that is not known."""
        if rules.duration is None or not self.started:
            return None
        return self.started + round(rules.duration * SECOND) + self.shift

    def left(self, rules: Rules, at: int) -> int | None:
        """How much time is left, in microseconds; None: that is not known, or it has no end."""
        deadline = self.deadline(rules)
        return None if deadline is None else max(0, deadline - (self.paused or at))

    def is_over(self, rules: Rules, at: int) -> bool:
        """Whether the time is over; it never is while it stands still."""
        return not self.paused and self.left(rules, at) == 0

    def starts_by(self, rules: Rules) -> int | None:
        """When it starts with those who are there; None: nobody waits for others."""
        if self.started or not self.waits_since or rules.starts == "code":
            return None
        return self.waits_since + round(rules.start_within * SECOND)

    def warning(self, rules: Rules, at: int) -> float | None:
        """The seconds before the end of which a warning is due; None: none is due."""
        left = None if self.paused else self.left(rules, at)
        due = _announced(rules, left)
        return None if due is None or (self.warned is not None and due >= self.warned) else due

    def after(self, event: Event, rules: Rules) -> Clock:
        """The clock after an event of `CLOCK_KINDS`."""
        match event.kind:
            case "opened":
                return Clock()
            case "shown" | "waiting":
                return self._replace(waits_since=event.at)
            case "warned":
                return self._replace(warned=event.data["left"])
            case "paused":
                return self._replace(paused=event.at, missing=tuple(event.data["missing"]))
            case _:
                return self._moved(event, rules)

    def _moved(self, event: Event, rules: Rules) -> Clock:
        """The clock after an event that moves its end."""
        changes: dict[str, Any] = {}
        match event.kind:
            case "started" if not self.started:
                changes = {"started": event.at}
            case "resumed" if self.paused:
                pause = max(0, event.at - self.paused)
                changes = {"shift": self.shift + pause, "stood": self.stood + pause}
                changes |= {"paused": 0, "missing": ()}
            case "extended":
                changes = {"shift": self.shift + event.data["by"]}
            case _:
                pass
        moved = self._replace(**changes)
        return moved._replace(warned=_announced(rules, moved.left(rules, event.at)))


def _announced(rules: Rules, left: int | None) -> float | None:
    """The last warning that is due if so much time is left, in seconds before the end."""
    if left is None:
        return None
    return min((time for time in rules.warn if left <= time * SECOND), default=None)
