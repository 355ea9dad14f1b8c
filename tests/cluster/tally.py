"""How long messages took, at quiet times and after faults."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from tests.cluster.plan import RECOVERY
from tests.support.reconnecting_client import ReconnectingClient, percentile

__all__ = ["BEFORE", "Delivery", "Recovery", "deliveries", "outside", "p99", "recovery", "within"]

BEFORE = 1.0
"""What was sent so shortly before a fault may be delayed by it, in seconds."""


class Delivery(NamedTuple):
    """When something was said, and when somebody was shown it, in seconds."""

    sent: float
    heard: float

    @property
    def took(self) -> float:
        """How long it took, in seconds."""
        return self.heard - self.sent


class Recovery(NamedTuple):
    """
    How long it took after a fault until messages came as fast as before, in seconds.

    `slowest`: the longest that a message took meanwhile.
    """

    seconds: float
    slowest: float


def deliveries(room: Sequence[ReconnectingClient]) -> list[Delivery]:
    """What people of one room have said, to each of them."""
    return [
        Delivery(speaker.sent_at[cid], reader.heard_at[id])
        for speaker in room
        for cid, id in speaker.stored.items()
        for reader in room
        if id in reader.heard_at
    ]


def p99(some: Iterable[Delivery]) -> float:
    """The time that all but 1 % took no longer than, in seconds; 0: there are none."""
    took = [each.took for each in some]
    return percentile(took) if took else 0.0


def within(some: Iterable[Delivery], begin: float, end: float) -> list[Delivery]:
    """What was sent within a time."""
    return [each for each in some if begin <= each.sent < end]


def outside(some: Iterable[Delivery], faults: Sequence[float]) -> list[Delivery]:
    """What was sent when no fault was near."""
    return [
        each
        for each in some
        if not any(fault - BEFORE <= each.sent < fault + RECOVERY for fault in faults)
    ]


def recovery(some: Iterable[Delivery], fault: float, limit: float) -> Recovery:
    """How long it took after a fault; what takes at most `limit` seconds is as fast as before."""
    near = within(some, fault - BEFORE, fault + RECOVERY)
    slow = [each.heard - fault for each in near if each.took > limit]
    slowest = max((each.took for each in near), default=0.0)
    return Recovery(max(0.0, *slow) if slow else 0.0, slowest)
