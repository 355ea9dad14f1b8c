"""Who has received what, when, and in which order."""

from __future__ import annotations

import asyncio
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tests.bench.clock import now

__all__ = ["Figures", "Tally", "line", "median", "old_line", "quantile"]

_MARK = re.compile(r"@@(\d{6})@@")


def line(number: int, person: int, more: str = "") -> str:
    """A chat line of about 60 characters that can be found again in any frame."""
    return f"@@{number:06d}@@ person {person:3} says something short to them all{more}"


def old_line(number: int) -> str:
    """A line that was there before anybody came; no tally counts it."""
    return f"##{number:06d}## this was said some time ago, when others were here"


@dataclass(frozen=True, slots=True)
class Figures:
    """
    What one phase of one run came to.

    Parameters
    ----------
    p50, p95, p99, worst
        From just before a send to a receiver's having it, in milliseconds. What never came
        counts as if it had come at the end.
    per_second
        Deliveries per second, from the first send to the last delivery, or to the end of
        waiting if something never came.
    wanted, lost, doubled
        Deliveries there should have been, that never came, and that came again.
    disordered
        Rooms whose people have not all received the messages in one order.
    """

    p50: float
    p95: float
    p99: float
    worst: float
    per_second: float
    wanted: int
    lost: int
    doubled: int
    disordered: int


class Tally:
    """
    Counts the deliveries of some messages.

    Parameters
    ----------
    rooms
        The room of each person.
    said_by
        The person who says each message, by its number.
    hears_own
        Whether a person is sent their own messages too.
    """

    def __init__(
        self, rooms: Sequence[str], said_by: Mapping[int, int], hears_own: bool = True
    ) -> None:
        self.complete = asyncio.Event()
        self._rooms = rooms
        self._said_by = said_by
        self._hears_own = hears_own
        sizes: dict[str, int] = defaultdict(int)
        for room in rooms:
            sizes[room] += 1
        self._by_room: dict[str, list[int]] = defaultdict(list)
        for number, k in said_by.items():
            self._by_room[rooms[k]].append(number)
        self._wanted = sum(sizes[rooms[k]] - (not hears_own) for k in said_by.values())
        self._missing = self._wanted
        self._sent: dict[int, float] = {}
        self._received: list[dict[int, float]] = [{} for _ in rooms]
        self._doubled = 0
        self._last = 0.0

    def send(self, number: int) -> None:
        """The message is about to be sent."""
        self._sent[number] = now()

    def receive(self, person: int, frame: str) -> None:
        """A person has got a frame, with any number of messages in it."""
        at = now()
        got = self._received[person]
        for mark in _MARK.findall(frame):
            number = int(mark)
            if number in got:
                self._doubled += 1
            elif number in self._sent:
                got[number] = at
                self._last = at
                self._missing -= 1
        if self._missing <= 0:
            self.complete.set()

    def figures(self) -> Figures:
        """What it came to."""
        end = now() if self._missing > 0 else self._last
        delays = sorted(1000 * seconds for seconds in self._delays(end))
        took = end - min(self._sent.values(), default=end)
        return Figures(
            p50=quantile(delays, 0.50),
            p95=quantile(delays, 0.95),
            p99=quantile(delays, 0.99),
            worst=quantile(delays, 1.0),
            per_second=(self._wanted - self._missing) / took if took > 0 else 0.0,
            wanted=self._wanted,
            lost=self._missing,
            doubled=self._doubled,
            disordered=self._disordered(),
        )

    def _delays(self, end: float) -> list[float]:
        return [
            got.get(number, end) - self._sent.get(number, end)
            for k, got in enumerate(self._received)
            for number in self._by_room[self._rooms[k]]
            if self._hears_own or self._said_by[number] != k
        ]

    def _disordered(self) -> int:
        if not self._hears_own:
            return 0  # everybody lacks different ones
        orders: dict[str, set[tuple[int, ...]]] = defaultdict(set)
        for room, got in zip(self._rooms, self._received, strict=True):
            orders[room].add(tuple(got))
        complete = self._missing <= 0
        return sum(len(found) > 1 for found in orders.values()) if complete else 0


def quantile(ordered: Sequence[float], q: float) -> float:
    """The value below which a share `q` of the ordered values lies; nan: there are none."""
    return ordered[min(int(len(ordered) * q), len(ordered) - 1)] if ordered else float("nan")


def median(values: Sequence[float]) -> float:
    """The middle one, or the mean of the two middle ones."""
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
