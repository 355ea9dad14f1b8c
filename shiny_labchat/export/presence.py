"""How long members were connected, from the changes of their presence in a log. Pure."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Connection"]


@dataclass(slots=True)
class Connection:
    """
    How long a member was there, as far as a log says; times are in microseconds.

    Parameters
    ----------
    state
        Their presence as the log last said.
    since
        Since when.
    connected, hidden
        How long a page of theirs was there, and how much of that all of these were hidden.
    disconnects
        How often they were gone.
    """

    state: str
    since: int
    connected: int = 0
    hidden: int = 0
    disconnects: int = 0

    def change(self, state: str, at: int) -> None:
        """Note that their presence has changed."""
        lasted = max(0, at - self.since)
        if self.state != "gone":
            self.connected += lasted
            self.hidden += lasted if self.state == "away" else 0
        if state == "gone" and self.state != "gone":
            self.disconnects += 1
        self.state, self.since = state, at
