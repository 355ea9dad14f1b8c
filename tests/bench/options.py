"""What is measured, and how much of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

__all__ = ["Options"]


@dataclass(frozen=True, slots=True)
class Options:
    """
    Sizes of everything; the defaults take about a quarter of an hour on two cores.

    Parameters
    ----------
    people
        People in the one room of "fanout", one size after the other.
    rate, seconds
        Messages a second of all people together, and for how long they talk.
    burst
        Messages said at once after that.
    runs
        Runs of bare and ours; tables show medians. The two slow sides run once.
    deflate
        Whether "fanout" is done again with compressed frames.
    rooms, room_size, rooms_rate
        How many rooms of how many people, and messages a second in all of them.
    history
        Messages that are there already when somebody joins, one size after the other.
    joins
        Joins of each size.
    nap
        How long one person's handler waits, in seconds.
    stall
        How long one browser does not read, in seconds.
    sessions
        Sessions (and rooms) that memory is measured with.
    crowd
        People in the room of "quiet" and of "streams"; the other rooms have a part of so many.
    growth
        How much of the sizes of "growth" is taken; each is measured at a tenth of that, too.
    worsts
        How many times the worst of "growth" is looked for; the median of these counts.
    """

    people: tuple[int, ...] = (10, 50, 100)
    rate: float = 20.0
    seconds: float = 5.0
    burst: int = 200
    runs: int = 3
    deflate: bool = False
    rooms: int = 100
    room_size: int = 5
    rooms_rate: float = 200.0
    history: tuple[int, ...] = (1_000, 5_000)
    joins: int = 10
    nap: float = 5.0
    stall: float = 15.0
    sessions: int = 100
    crowd: int = 100
    growth: float = 1.0
    worsts: int = 5

    def quick(self) -> Options:
        """The same things at sizes that show whether all of it works, and nothing more."""
        return replace(
            self,
            people=(10,),
            seconds=1.5,
            burst=50,
            runs=1,
            rooms=10,
            rooms_rate=50.0,
            history=(300,),
            joins=3,
            nap=2.0,
            stall=4.0,
            sessions=20,
            crowd=20,
            growth=0.1,
            worsts=2,
        )
