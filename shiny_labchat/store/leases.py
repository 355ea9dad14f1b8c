"""For how long a process promises to be heard of again."""

from __future__ import annotations

from shiny_labchat.domain.rules import CLOCK_SLACK

__all__ = ["LEASE", "LONGEST"]

LEASE = 6_000_000
"""For how long a process promises to go on, in microseconds."""
LONGEST = LEASE + CLOCK_SLACK
"""
What ends later than so many microseconds from now was promised before the clock was set back. It
counts as a promise made now: who is alive will make a new one, and who is not must not be waited
for until the clock is there again.
"""
