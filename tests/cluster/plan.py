"""What happens in a run."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

__all__ = ["RECOVERY", "Fault", "FaultKind", "Plan"]

FaultKind = Literal["worker", "database", "bus"]

RECOVERY = 5.0
"""How long it may take after a fault until all is as before, in seconds."""


class Fault(NamedTuple):
    """
    Something that is killed, and started again.

    Parameters
    ----------
    at
        When, in seconds after the faults may begin.
    kind
        What.
    number
        Which worker.
    """

    at: float
    kind: FaultKind
    number: int = 0


@dataclass(frozen=True, slots=True)
class Plan:
    """
    How large a run is, and how long.

    Parameters
    ----------
    workers, people, rooms
        How many there are.
    rate
        Messages a second, of all people together.
    quiet, seconds
        How long nothing fails at first, and how long something does after that, in seconds.
    every
        How often a worker is killed, in seconds.
    bus
        Its kind.
    bus_gone
        How long there is no bus, after all of this, in seconds.
    """

    workers: int
    people: int
    rooms: int
    rate: float
    quiet: float
    seconds: float
    every: float
    bus: str
    bus_gone: float

    def faults(self) -> list[Fault]:
        """
        The faults, by time.

        Workers are killed in turn. The database, and later the bus, is killed between two of them.
        """
        middle = [*self._middles()]
        between: list[FaultKind] = ["database", "bus"]
        others = [Fault(self.every * (k + 1), kind) for k, kind in enumerate(between)]
        fitting = [each for each in others if each.at + RECOVERY <= self.seconds]
        workers = [Fault(at, "worker", k % self.workers) for k, at in enumerate(middle)]
        return sorted([*workers, *fitting])

    def _middles(self) -> Iterator[float]:
        at = self.every / 2
        while at + RECOVERY <= self.seconds:
            yield at
            at += self.every
