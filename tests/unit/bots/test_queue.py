"""Which bots compose, and which wait for their turn; on a clock of the tests' own."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab
from shiny_labchat.bots.queue import ahead, join, leave
from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.schema import callback_room

STEPS = 1_000


class Queue:
    """A room's queue of bots, whose callbacks' leases are written by hand."""

    def __init__(self, conn: Any) -> None:
        self.where = LogKey("s", "r")
        self.now = 1_000_000
        self._conn = conn

    def come(self, bot: str) -> int:
        self.renew(bot)
        return join(self._conn, self.where, bot)

    def ahead(self, place: int) -> dict[str, int]:
        return ahead(self._conn, self.where, place, self.now).bots

    def leave(self, bot: str) -> None:
        leave(self._conn, self.where, bot)

    def renew(self, bot: str) -> None:
        """Its process promises to go on for a second."""
        mine = callback_room.c.callback == f"bot:{bot}"
        self._conn.execute(sa.delete(callback_room).where(mine))
        row = {"callback": f"bot:{bot}", "room": 1, "done": 0, "tries": 1, "owner": "server"}
        self._conn.execute(sa.insert(callback_room).values(**row, until=self.now + 1_000_000))


async def in_queue(lab: Lab, what: Callable[[Queue], Any]) -> Any:
    await lab.create_room("r", study="s")
    return await lab.log.write(lambda conn, now: what(Queue(conn)))


@pytest.mark.parametrize("most", [1, 2, 3])
async def test_never_more_than_so_many_compose_and_the_first_come_first(
    lab: Lab, most: int
) -> None:
    """1,000 steps of ten bots."""
    rng = random.Random(most)

    def trials(queue: Queue) -> int:
        line: list[tuple[str, int]] = []
        at_it: set[str] = set()
        begun = 0
        for _ in range(STEPS):
            bot = f"bot{rng.randrange(10)}"
            places = dict(line)
            if bot in at_it and rng.random() < 0.8:
                queue.leave(bot)
                at_it.discard(bot)
                line = [each for each in line if each[0] != bot]
            elif bot not in places:
                line.append((bot, queue.come(bot)))
            elif bot not in at_it and len(queue.ahead(places[bot])) < most:
                assert bot in [each for each, _ in line[:most]]
                at_it.add(bot)
                begun += 1
            assert len(at_it) <= most
        return begun

    assert await in_queue(lab, trials) > STEPS / 50


async def test_who_lives_does_not_keep_the_place_of_the_dead(lab: Lab) -> None:
    def trial(queue: Queue) -> list[set[str]]:
        queue.come("dead")
        queue.come("alive")
        place = queue.come("third")
        before = set(queue.ahead(place))
        for _ in range(2):
            queue.now += 600_000
            queue.renew("alive")
        return [before, set(queue.ahead(place))]

    assert await in_queue(lab, trial) == [{"alive", "dead"}, {"alive"}]


async def test_who_died_before_the_clock_was_set_back_keeps_nobody_waiting(lab: Lab) -> None:
    def ahead(queue: Queue) -> list[set[str]]:
        queue.come("gone")
        place = queue.come("next")
        before = set(queue.ahead(place))
        queue.now -= 3_600_000_000
        return [before, set(queue.ahead(place))]

    assert await in_queue(lab, ahead) == [{"gone"}, set()]
