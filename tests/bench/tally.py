"""Who has received what, when, and in which order."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["Figures", "Tally", "line", "median", "quantile"]

_MARK = re.compile(r"@@(\d{6})@@")


def line(number: int, person: int) -> str:
    """A chat line of about 60 characters that can be found again in any frame."""
    return f"@@{number:06d}@@ person {person:3} says something short to them all"


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What one phase of one run came to.

    Parameters
    ----------
    p50, p95, p99
        From just before a send to a receiver's having it, in milliseconds.
    per_second
        Deliveries per second, from the first send to the last delivery.
    lost, doubled
        Deliveries that never came, and that came again.
    orders
        Different orders that people have received the messages in; 1 is as it should be.
    """

    p50: float
    p95: float
    p99: float
    per_second: float
    lost: int
    doubled: int
    orders: int


class Tally:
    """
    Counts the deliveries of some messages.

    Parameters
    ----------
    people
        How many receive each.
    numbers
        The messages' numbers.
    """

    def __init__(self, people: int, numbers: range) -> None:
        self.complete = asyncio.Event()
        self._numbers = numbers
        self._sent: dict[int, float] = {}
        self._received: list[list[int]] = [[] for _ in range(people)]
        self._latencies: list[float] = []
        self._last = 0.0

    def send(self, number: int) -> None:
        """The message is about to be sent."""
        self._sent[number] = time.perf_counter()

    def receive(self, person: int, frame: str) -> None:
        """A person has got a frame, with any number of messages in it."""
        now = time.perf_counter()
        for mark in _MARK.findall(frame):
            number = int(mark)
            if number in self._sent:
                self._received[person].append(number)
                self._latencies.append(now - self._sent[number])
                self._last = now
        if len(self._latencies) >= len(self._numbers) * len(self._received):
            self.complete.set()

    def figures(self) -> Figures:
        """What it came to."""
        latencies = sorted(1000 * seconds for seconds in self._latencies)
        lost = sum(len(set(self._numbers) - set(got)) for got in self._received)
        return Figures(
            p50=quantile(latencies, 0.50),
            p95=quantile(latencies, 0.95),
            p99=quantile(latencies, 0.99),
            per_second=len(latencies) / (self._last - min(self._sent.values())),
            lost=lost,
            doubled=sum(len(got) - len(set(got)) for got in self._received),
            orders=len({tuple(got) for got in self._received}),
        )


def quantile(ordered: Sequence[float], q: float) -> float:
    """The value below which a share `q` of the ordered values lies; nan: there are none."""
    return ordered[min(int(len(ordered) * q), len(ordered) - 1)] if ordered else float("nan")


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two middle ones."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
