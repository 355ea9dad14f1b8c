"""When a bot that goes on in somebody's place is seen to return: as people are who come back."""

from __future__ import annotations

import asyncio
import json
import math
import random
from collections.abc import Sequence
from typing import Any

from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.commands import Disclose
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.replacing import SPREAD, away_for
from shiny_labchat.live.presence import PRESENCE_EVERY, Presence, Seen
from tests.unit.bots.test_rules import after, on_clock
from tests.unit.domain.test_replacing import Group

GRACE = 60.0
LOOK = 1.0
"""Servers look each second who is gone, in seconds."""
NUMBER = 200


class Seeing:
    """A room of ann and bob, and what bob's page is sent of who is here, with the times."""

    def __init__(self) -> None:
        self.group = Group("ann", "bob")
        self.loop = asyncio.get_running_loop()
        self.began = self.group.now / SECOND - self.loop.time()
        self.presence = Presence(self._look_up, lambda: self._room.bots(), self._now)
        self.presence.follow(self._read)
        self.frames: list[tuple[float, dict[str, Any]]] = []
        self._seen: Seen | None = None

    @property
    def _room(self) -> Any:
        return self.group.room("l-1")

    def _now(self) -> float:
        return self.began + self.loop.time()

    def _look_up(self, members: Sequence[str]) -> list[Membership]:
        found = (self._room.membership(member) for member in members)
        return [each for each in found if each is not None]

    def _read(self) -> None:
        frames, self._seen = self.presence.owed(self._seen, None, observers=True)
        self.frames += [(self.loop.time(), json.loads(frame)) for frame in frames]

    async def come(self, *people: str) -> None:
        for person in people:
            self.presence.come(person)
        await after(2 * PRESENCE_EVERY)

    async def lose(self, person: str) -> None:
        """They have gone for longer than the grace, and a bot takes their place."""
        self.group.now = round(self._now() * SECOND)
        self.group.lose(person)
        for changed in (person, "stand-in"):
            self.presence.rename(changed)

    async def all_seen(self) -> list[tuple[float, dict[str, Any]]]:
        """All frames, when nothing more comes."""
        await after(1_000 * GRACE)
        return self.frames


async def taken_over(drawn: random.Random) -> list[tuple[float, dict[str, Any]]]:
    seeing = Seeing()
    await seeing.come("ann", "bob")
    await after(drawn.uniform(0, 100))
    seeing.presence.go("ann")
    await after(GRACE + drawn.uniform(0, LOOK))
    await seeing.lose("ann")
    return await seeing.all_seen()


async def returned(drawn: random.Random) -> list[tuple[float, dict[str, Any]]]:
    """Somebody who is away for longer than the grace comes back by themselves."""
    seeing = Seeing()
    await seeing.come("ann", "bob")
    await after(drawn.uniform(0, 100))
    seeing.presence.go("ann")
    late = max(1.0, drawn.lognormvariate(math.log(GRACE / 2), SPREAD))
    await after(GRACE + drawn.uniform(0, LOOK) + late)
    seeing.presence.come("ann")
    return await seeing.all_seen()


def p_value(some: Sequence[float], others: Sequence[float]) -> float:
    """
    The probability of two samples that differ so much or more, if both are of one distribution.

    The test of Kolmogorov and Smirnov, with the approximation of Stephens (1970).
    """
    ordered = sorted(
        [*((each, 1 / len(some)) for each in some)] + [(each, -1 / len(others)) for each in others]
    )
    sums, largest = 0.0, 0.0
    for _, step in ordered:
        sums += step
        largest = max(largest, abs(sums))
    size = math.sqrt(len(some) * len(others) / (len(some) + len(others)))
    x = (size + 0.12 + 0.11 / size) * largest
    terms = ((-1) ** (k - 1) * math.exp(-2 * k * k * x * x) for k in range(1, 101))
    return min(1.0, max(0.0, 2 * sum(terms)))


def absences(all: Sequence[Sequence[tuple[float, dict[str, Any]]]]) -> list[float]:
    return [frames[-1][0] - frames[-2][0] for frames in all]


async def both() -> tuple[list[Any], list[Any]]:
    drawn = random.Random(7)
    taken = await asyncio.gather(*(taken_over(drawn) for _ in range(NUMBER)))
    return taken, await asyncio.gather(*(returned(drawn) for _ in range(NUMBER)))


def test_no_time_tells_who_was_replaced_from_who_came_back():
    taken, came = on_clock(both())
    gone, back = absences(taken), absences(came)
    assert p_value(gone, back) > 0.01
    of_second = [[frames[-1][0] % 1 for frames in all] for all in (taken, came)]
    assert p_value(*of_second) > 0.01
    at_once = [GRACE + n / NUMBER * LOOK for n in range(NUMBER)]
    assert p_value(at_once, back) < 1e-6, "the test would see a bot that returns at once"
    assert min(gone) >= GRACE + 1


def test_no_frame_tells_who_was_replaced_from_who_came_back():
    async def work() -> list[Any]:
        drawn = random.Random(1)
        return [await taken_over(drawn), await returned(drawn)]

    taken, came = ([frame for _, frame in frames] for frames in on_clock(work()))
    assert taken == came and [frame["t"] for frame in taken][-2:] == ["here", "here"]
    assert (taken[-2]["n"], taken[-1]["n"]) == (1, 2)


def test_a_bot_whose_time_has_come_is_here_for_who_opens_the_room_then():
    async def work() -> list[int]:
        seeing, numbers = Seeing(), list[int]()
        await seeing.come("bob")
        await seeing.lose("ann")
        for left in (2.0, -0.5):
            returns = seeing.group.member("stand-in").returns / SECOND
            await after(returns - left - seeing._now())
            fresh = Presence(seeing._look_up, lambda: seeing._room.bots(), seeing._now)
            fresh.come_elsewhere("bob")
            numbers.append(len(fresh.present()))
        return numbers

    assert on_clock(work()) == [1, 2]


def test_a_place_stays_empty_for_a_time_that_is_drawn():
    drawn = [away_for(GRACE, str(n)) / SECOND for n in range(2_000)]
    own = random.Random(3)
    expected = [max(1.0, own.lognormvariate(math.log(GRACE / 2), SPREAD)) for _ in range(2_000)]
    assert p_value(drawn, expected) > 0.01
    assert len(set(drawn)) == 2_000 and away_for(GRACE, "0") == away_for(GRACE, "0")


def test_a_bot_that_is_disclosed_after_it_returned_is_shown_as_one():
    async def work() -> Any:
        seeing = Seeing()
        await seeing.come("bob")
        await seeing.lose("ann")
        await after(100 * GRACE)
        seeing.group.in_room("l-1", Disclose("stand-in"))
        seeing.presence.rename("stand-in")
        return (await seeing.all_seen())[-1][1]

    assert [role for _, _, role in on_clock(work())["came"]] == ["assistant"]
