"""What a thing costs at a size, and at a tenth of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.bench.databases import Contents, Databases, Rooms, resume_token
from tests.bench.options import Options
from tests.bench.results import Aim, Job, Result, Row
from tests.bench.servers import Server, serving
from tests.bench.sides import WATCHED, Person

__all__ = ["SCENARIO", "TENTH", "WHOLE", "Figure", "Grown", "everybody", "serving_rooms"]

SCENARIO = "growth"
TENTH, WHOLE = "a tenth", "whole"
"""The two columns."""
AT_ONCE = 20
"""People who come in at the same time, where nobody measures how long that takes."""

_databases = Databases()


@dataclass(frozen=True, slots=True)
class Figure:
    """
    One figure.

    Parameters
    ----------
    key, name
        What `Grown.measure` calls it, and what the report does.
    below
        What it shall stay below at the whole size; None: it is only shown.
    times
        How many times the figure at a tenth it is at most; None: that is not reached yet.
    floor
        Less than this counts as this much when the two are compared: it comes by chance.
    digits
        Decimals that are shown.
    """

    key: str
    name: str
    below: float | None = None
    times: float | None = None
    floor: float = 10.0
    digits: int = 1

    def has_grown(self, found: Mapping[str, float]) -> bool:
        """Whether it is more than `times` what it is at a tenth of the size."""
        if self.times is None:
            return False
        return max(found[WHOLE], self.floor) > self.times * max(found[TENTH], self.floor)


@dataclass(frozen=True, slots=True)
class Grown:
    """
    One thing that is done at two sizes.

    Parameters
    ----------
    name
        One word for it.
    what
        What is done, in words; in it, ``{}`` stands for the sizes.
    size
        How many there are, of what `what` says.
    figures
        What is measured.
    measure
        Measures it: of the size, and of how many times "the worst" is looked for. Gives values
        by the keys of the figures.
    """

    name: str
    what: str
    size: int
    figures: tuple[Figure, ...]
    measure: Callable[[int, int], Coroutine[Any, Any, Mapping[str, float]]]

    def key(self, figure: Figure) -> str:
        """The key of a figure among those of all rows."""
        return f"{self.name}_{figure.key}"

    def rows(self) -> Iterable[Row]:
        """The rows of the table."""
        for figure in self.figures:
            aims = () if figure.below is None else (_aim(figure.below),)
            yield Row(self.key(figure), figure.name, figure.digits, aims=aims)

    def jobs(self, options: Options) -> Iterable[Job]:
        """The two things to measure."""
        whole = max(10, round(self.size * options.growth))
        case = self.what.format(f"{whole // 10:,} / {whole:,}")
        for side, size in ((TENTH, whole // 10), (WHOLE, whole)):
            name = f"{self.name}, {size:,}"
            yield Job(side, name, partial(self._measure, case, side, size, options.worsts))

    async def _measure(self, case: str, side: str, size: int, runs: int) -> Result:
        found = await self.measure(size, runs)
        values = {self.key(figure): found[figure.key] for figure in self.figures}
        return Result(SCENARIO, case, side, 0, values)


def _aim(below: float) -> Aim:
    return Aim(f"below {below:g}", lambda found: found[WHOLE] < below)


@asynccontextmanager
async def serving_rooms(
    rooms: tuple[Rooms, ...], *does: str, expired: int = 0
) -> AsyncGenerator[Server]:
    """Run ours, with a copy of a database that has these rooms."""
    fill = partial(_databases.copy, Contents(rooms, expired))
    async with serving(WATCHED, *does, fill=fill) as server:
        yield server


@asynccontextmanager
async def everybody(server: Server, *rooms: Rooms) -> AsyncGenerator[list[Person]]:
    """All who have sockets in these rooms come in, without pages, and leave at the end."""
    free = asyncio.Semaphore(AT_ONCE)
    people: list[Person] = []

    async def come(token: str) -> None:
        async with free:
            people.append(await WATCHED.come(server.port, resume=token))

    tokens = (
        resume_token(id, f"p{k}")
        for each in rooms
        for id in each.ids()
        for k in range(each.sockets)
    )
    try:
        async with asyncio.TaskGroup() as group:
            for token in tokens:
                group.create_task(come(token))
        yield people
    finally:
        for person in people:
            person.vanish()
