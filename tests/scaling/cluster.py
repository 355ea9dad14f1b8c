"""A lab of a size, and what it makes its parts do. Pure: values in, values out."""

from __future__ import annotations

from dataclasses import dataclass, replace
from math import ceil

from tests.scaling.costs import Costs

__all__ = ["BUSY", "Cluster", "Demand", "demand", "processes_for"]

BUSY = 0.5
"""How much of its core a process shall use at most: above that, delays grow quickly."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """
    A lab.

    Parameters
    ----------
    people, rooms
        How many there are; all rooms are of one size.
    processes
        Server processes.
    pause
        How long a person says nothing between two messages, on the average, in seconds.
    stay
        How long a page is open, on the average, in seconds.
    are_together
        Whether all people of a room reach the same process; else each reaches any of them.
    hear_all
        Whether processes hear of all rooms: they have callbacks or bots, or PostgreSQL as bus.
    """

    people: int
    rooms: int
    processes: int
    pause: float = 30.0
    stay: float = 1200.0
    are_together: bool = False
    hear_all: bool = False

    @property
    def size(self) -> float:
        """People of a room."""
        return self.people / self.rooms

    @property
    def messages(self) -> float:
        """Messages a second, of all."""
        return self.people / self.pause

    @property
    def spread(self) -> float:
        """In how many processes a room is open, on the average."""
        if self.are_together:
            return 1.0
        n = self.processes
        return n * (1 - (1 - 1 / n) ** self.size)


@dataclass(frozen=True, slots=True)
class Demand:
    """
    What the parts of a lab have to do.

    Parameters
    ----------
    servers
        Cores that all server processes use together.
    busy
        How much of its core one of them uses.
    database
        Cores that PostgreSQL uses.
    commits
        Transactions a second, if each message has its own.
    deliveries
        Messages that are sent to somebody, a second.
    bells
        Messages a second that the bus hands over.
    memory
        Of all server processes, in MB.
    shares
        How the servers' work is shared out, by what it is for.
    """

    servers: float
    busy: float
    database: float
    commits: float
    deliveries: float
    bells: float
    memory: float
    shares: dict[str, float]


def demand(costs: Costs, cluster: Cluster) -> Demand:
    """What a lab of a size has to do, by the costs of single things."""
    messages = cluster.messages
    bells = messages * ((cluster.processes if cluster.hear_all else cluster.spread) - 1)
    unheard = bells - messages * (cluster.spread - 1)
    open_rooms = cluster.rooms * cluster.spread
    work = {
        "storing": messages * costs.store,
        "delivering": messages * cluster.size * costs.deliver,
        "hearing": messages * (cluster.spread - 1) * costs.hear,
        "bells of others": unheard * costs.ring,
        "pages that come": cluster.people / cluster.stay * costs.admit,
        "pages at rest": cluster.people * costs.rest,
        "processes at rest": cluster.processes * costs.process_rest,
    }
    servers = sum(work.values()) / 1000
    return Demand(
        servers=servers,
        busy=servers / cluster.processes,
        database=messages * costs.database / 1000,
        commits=messages,
        deliveries=messages * cluster.size,
        bells=bells,
        memory=cluster.processes * costs.process
        + cluster.people * costs.page
        + open_rooms * costs.room,
        shares={name: each / 1000 / servers for name, each in work.items()},
    )


def processes_for(costs: Costs, cluster: Cluster, busy: float = BUSY) -> int | None:
    """
    How many processes a lab needs so that none uses more of its core; None: no number is enough.

    The processes that `cluster` has do not count.
    """
    for number in range(1, 2 * ceil(cluster.people / 100) + 2):
        if demand(costs, replace(cluster, processes=number)).busy <= busy:
            return number
    return None
