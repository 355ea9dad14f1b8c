"""
People talk in a lab of any size: when each message is where.

What is assumed:

- People say something at random times, independent of each other, and all equally often.
- Each server process has a core of its own, on which it does one thing after the other.
- What a process has to do besides messages slows these down evenly.
- A process has one transaction at a time, with all messages that wait; it takes the same time
  however many these are. The database is never the bottleneck.
- The bus takes the same time for each bell, and loses none.
- Lines to people take no time.
"""

from __future__ import annotations

import heapq
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from tests.bench.tally import quantile
from tests.scaling.cluster import Cluster, demand
from tests.scaling.costs import Costs

__all__ = ["Simulated", "simulate"]

WARM_UP = 1.0
"""Seconds that do not count: at first nothing waits anywhere."""


@dataclass(frozen=True, slots=True)
class Simulated:
    """
    What has come out.

    Parameters
    ----------
    p50, p99
        From a message's being sent to a person's having it, in milliseconds.
    busy
        How much of its core the busiest process has used.
    batch
        Messages in a transaction, on the average.
    """

    p50: float
    p99: float
    busy: float
    batch: float


def simulate(costs: Costs, cluster: Cluster, seconds: float = 10.0, seed: int = 1) -> Simulated:
    """Let people talk for so long; the same seed gives the same."""
    run = _Run(costs, cluster, random.Random(seed), WARM_UP + seconds)
    run.talk()
    delays = sorted(run.delays)
    busiest = max(each.worked for each in run.processes) / (WARM_UP + seconds)
    transactions = max(1, sum(each.transactions for each in run.processes))
    return Simulated(
        p50=1000 * quantile(delays, 0.5),
        p99=1000 * quantile(delays, 0.99),
        busy=busiest + run.besides,
        batch=run.messages / transactions,
    )


@dataclass(slots=True)
class _Process:
    """A server process: until when it works, and the messages that wait for a transaction."""

    free_at: float = 0.0
    worked: float = 0.0
    transactions: int = 0
    is_storing: bool = False
    waiting: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])


class _Run:
    """All that happens, in the order of time; times are in seconds."""

    def __init__(self, costs: Costs, cluster: Cluster, chance: random.Random, end: float) -> None:
        self.delays: list[float] = []
        self.messages = 0
        self.processes = [_Process() for _ in range(cluster.processes)]
        self._cluster = cluster
        self._chance = chance
        self._end = end
        self._now = 0.0
        self._number = 0
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        load = demand(costs, cluster)
        kinds = ("bells of others", "pages that come", "pages at rest", "processes at rest")
        self.besides = load.busy * sum(load.shares[kind] for kind in kinds)
        slower = 1000 * max(1e-9, 1 - self.besides)
        self._store, self._deliver = costs.store / slower, costs.deliver / slower
        self._hear = costs.hear / slower
        self._commit, self._passing = costs.commit / 1000, costs.passing / 1000
        self._rooms = self._seated()

    def _seated(self) -> list[Counter[int]]:
        """Of each room, how many of its people each process has."""
        number, size = self._cluster.processes, round(self._cluster.size)
        if self._cluster.are_together:
            return [Counter({k % number: size}) for k in range(self._cluster.rooms)]
        return [
            Counter(self._chance.randrange(number) for _ in range(size))
            for _ in range(self._cluster.rooms)
        ]

    def talk(self) -> None:
        """Let everything happen."""
        self._say_next()
        while self._events:
            self._now, _, happens = heapq.heappop(self._events)
            if self._now > 2 * self._end:  # more comes than can be done
                break
            happens()

    def _at(self, when: float, happens: Callable[[], None]) -> None:
        self._number += 1
        heapq.heappush(self._events, (when, self._number, happens))

    def _works(self, k: int, seconds: float) -> float:
        """Have a process do something after all that it has to do before; return when it begins."""
        process = self.processes[k]
        begins = max(self._now, process.free_at)
        process.free_at = begins + seconds
        process.worked += seconds
        return begins

    def _say_next(self) -> None:
        when = self._now + self._chance.expovariate(self._cluster.messages)
        if when < self._end:
            self._at(when, self._say)

    def _say(self) -> None:
        self._say_next()
        self.messages += 1
        room = self._chance.randrange(len(self._rooms))
        seats = self._rooms[room]
        (k,) = self._chance.choices(list(seats), list(seats.values()))
        said = self._now
        begins = self._works(k, self._store)
        self._at(begins + self._store, lambda: self._wait(k, said, room))

    def _wait(self, k: int, said: float, room: int) -> None:
        process = self.processes[k]
        process.waiting.append((said, room))
        if not process.is_storing:
            self._begin_to_store(k)

    def _begin_to_store(self, k: int) -> None:
        process = self.processes[k]
        process.is_storing = True
        process.transactions += 1
        stored, process.waiting = process.waiting, []
        self._at(self._now + self._commit, lambda: self._stored(k, stored))

    def _stored(self, k: int, stored: list[tuple[float, int]]) -> None:
        self.processes[k].is_storing = False
        for said, room in stored:
            self._send(k, said, room, 0.0)
            for other in self._rooms[room]:
                if other != k:
                    self._tell(other, said, room)
        if self.processes[k].waiting:
            self._begin_to_store(k)

    def _tell(self, k: int, said: float, room: int) -> None:
        self._at(self._now + self._passing, lambda: self._send(k, said, room, self._hear))

    def _send(self, k: int, said: float, room: int, before: float) -> None:
        number = self._rooms[room][k]
        begins = self._works(k, before + number * self._deliver) + before
        if said >= WARM_UP:
            self.delays += [begins + (n + 1) * self._deliver - said for n in range(number)]
