"""
The clock of a room whose people have a time: when it has started, and when it is over.

It is decided by the log: who closes a room, and when they hear of it, changes nothing. Pure.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.rules import Rules, closing, opening

__all__ = ["CLOCK_KINDS", "LONGEST_PAUSE", "SECOND", "Clock", "Shut", "Turn"]

SECOND = 1_000_000
"""Microseconds."""
CLOCK_KINDS = ("extended", "opened", "paused", "resumed", "shown", "started", "waiting", "warned")
"""The kinds of events that change a clock."""
LONGEST_PAUSE = 3_600 * SECOND
"""So long a clock stands still, in all: if nobody comes back, the time is over nevertheless."""


class Shut(NamedTuple):
    """
    What was last announced of whether people can write by the clock on the wall.

    Parameters
    ----------
    code
        Why they cannot, see `rules.shut`; None: they can.
    at
        When that was announced, in microseconds; 0: never.
    """

    code: str | None = None
    at: int = 0


class Turn(NamedTuple):
    """
    A turn to write.

    Parameters
    ----------
    member
        The id of who has it; None: nobody has.
    since
        Since when, in microseconds; 0: its time does not count yet.
    """

    member: str | None = None
    since: int = 0

    @classmethod
    def of(cls, event: Event) -> Turn:
        """The turn that an event "turn" is of."""
        return cls(event.member, event.data.get("since", event.at))


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
    held
        For how long it has stood still so far.
    opened
        When the room was opened again, whatever `Rules.closes_at` had said.
    warned
        For how many seconds before the end, at least, people need no warning any more; None: for
        any.
    """

    waits_since: int = 0
    started: int = 0
    shift: int = 0
    paused: int = 0
    missing: tuple[str, ...] = ()
    warned: float | None = None
    held: int = 0
    opened: int = 0

    def deadline(self, rules: Rules) -> int | None:
        """
        When the time is over; None: that is not known, or it has no end.

        While it stands still, that is when it would have been over, or the room is closed anyway.
        """
        ends = (self._end(rules), self.closing(rules))
        return min((end for end in ends if end is not None), default=None)

    def closing(self, rules: Rules) -> int | None:
        """When the room is closed anyway; None: that is not said, or it was opened again since."""
        closes = None if rules.closes_at is None else closing(rules)
        return None if closes is None or closes <= self.opened else closes

    def left(self, rules: Rules, at: int) -> int | None:
        """How much time is left, in microseconds; None: that is not known, or it has no end."""
        end, closes = self._end(rules), self.closing(rules)
        if end is None and closes is None:
            return None
        left = [] if end is None else [end - self._shown(at)]
        left += [] if closes is None else [closes - at]
        return max(0, min(left))

    def is_over(self, rules: Rules, at: int) -> bool:
        """Whether the time is over; while it stands still, only because the room is closed."""
        return self.left(rules, at) == 0

    def runs_on(self) -> int:
        """When it runs on at the latest, if it stands still, in microseconds."""
        return self.paused + max(0, LONGEST_PAUSE - self.held)

    def starts_by(self, rules: Rules) -> int | None:
        """When it starts with those who are there; None: nobody waits for others."""
        if self.started or not self.waits_since or rules.starts == "code":
            return None
        return max(self.waits_since, opening(rules)) + round(rules.start_within * SECOND)

    def begun(self, rules: Rules) -> int:
        """Since when the time runs, once it has started: not before people can write."""
        return max(self.started, opening(rules)) if self.started else 0

    def _end(self, rules: Rules) -> int | None:
        """When the duration is over, as far as it is known how long the clock stands still."""
        if rules.duration is None or not self.started:
            return None
        return self.begun(rules) + round(rules.duration * SECOND) + self.shift

    def _shown(self, at: int) -> int:
        """What the clock shows at a time: while it stands still, when it began to."""
        return self.paused + max(0, at - self.runs_on()) if self.paused else at

    def warning(self, rules: Rules, at: int) -> float | None:
        """The seconds before the end of which a warning is due; None: none is due."""
        left = None if self.paused else self.left(rules, at)
        due = _announced(rules, left)
        return None if due is None or (self.warned is not None and due >= self.warned) else due

    def after(self, event: Event, rules: Rules) -> Clock:
        """The clock after an event of `CLOCK_KINDS`."""
        match event.kind:
            case "opened":
                return Clock(opened=event.at)
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
                still = max(0, min(event.at, self.runs_on()) - self.paused)
                changes = {"shift": self.shift + still, "held": self.held + still}
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
