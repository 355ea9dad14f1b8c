"""How long the leases of processes last."""

from __future__ import annotations

from shiny_labchat.domain.rules import CLOCK_SLACK

__all__ = ["LEASE", "LONGEST"]

LEASE = 6_000_000
"""The length of a lease, which a process renews before it ends, in microseconds."""
LONGEST = LEASE + CLOCK_SLACK
"""
Longest time until a lease can end, in microseconds. One that ends later was made before the clock
was set back. It counts as made now: a process that is alive renews it, and nobody must wait for
one that has ended until the clock has caught up.
"""
