"""
The leases of processes: how long they last, and by which time.

Whoever takes, renews or judges a lease asks for that time: it is not the clock's.
"""

from __future__ import annotations

import sqlalchemy as sa

from shiny_labchat.domain.rules import CLOCK_SLACK
from shiny_labchat.store.choosing import engine_of

__all__ = ["LEASE", "LONGEST", "lease_time"]

LEASE = 6_000_000
"""The length of a lease, which a process renews before it ends, in microseconds."""
LONGEST = LEASE + CLOCK_SLACK
"""
Longest time until a lease can end, in microseconds. One that ends later was made before the machine
was started again with its clock set back; or before the clock was set back, where leases run on the
clock. It counts as made now: a process that is alive renews it, and nobody must wait for one that
has ended until the clock has caught up.
"""


def lease_time(conn: sa.Connection) -> int:
    """The time by which leases are measured, in microseconds since 1970 (UTC); it never jumps."""
    return engine_of(conn).lease_time(conn)
