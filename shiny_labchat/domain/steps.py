"""The step of a whole study: one word for all of its people, now or from later on. Pure."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Steps"]


class Steps(NamedTuple):
    """
    The step of a study, and those that follow by themselves.

    Which one it is follows from the time alone, so all servers agree without telling each other.

    Parameters
    ----------
    first
        The step when one was last set; None: none ever was.
    later
        The steps that follow, each with the time from which it holds, in microseconds since 1970
        (UTC); the soonest first.
    """

    first: str | None = None
    later: tuple[tuple[int, str], ...] = ()

    def now(self, at: int) -> str | None:
        """The step at a time, in microseconds since 1970 (UTC); None: none was set."""
        steps = [step for since, step in self.later if since <= at]
        return steps[-1] if steps else self.first

    def next_change(self, at: int) -> int | None:
        """When the step changes by itself after a time; None: it does not."""
        return next((since for since, _ in self.later if since > at), None)

    def with_step(self, step: str, since: int, at: int) -> Steps:
        """
        The steps with another one, which was set at a time.

        It takes the place of all that would follow after it.
        """
        if since <= at:
            return Steps(step)
        sooner = (each for each in self.later if at < each[0] < since)
        return Steps(self.now(at), (*sooner, (since, step)))
