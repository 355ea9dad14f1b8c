"""When a place that a bot takes is seen again: as when somebody comes back, in what and when."""

from __future__ import annotations

import asyncio
import json
import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

from shiny_labchat.domain.clock import SECOND
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.replacing import LEAST_AWAY, SPREAD
from shiny_labchat.domain.state import RoomState
from shiny_labchat.live.presence import Presence
from tests.unit.domain.test_replacing import RULES, Group

MANY = 200
MEDIAN = RULES["grace"] / 2
FAR = 1.628 * math.sqrt(2 / MANY)
"""Two samples of one distribution are further apart than this in one of a hundred cases."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop whose time passes at once when there is nothing to do before the next timer."""

    def __init__(self) -> None:
        super().__init__()
        self._at = 0.0

    def time(self) -> float:
        return self._at

    def _run_once(self) -> None:
        loop: Any = self
        if loop._scheduled and not loop._ready:
            self._at = max(self._at, loop._scheduled[0].when())
        once: Any = super()
        once._run_once()


class Seen:
    """A room of two, of whom one goes, as the other is shown it."""

    def __init__(self, number: int) -> None:
        self.frames: list[tuple[float, list[str]]] = []
        self.group = Group("ann", "bob")
        self._number = number
        self._begun = asyncio.get_running_loop().time()
        self._handle = self.group.member("ann").handle
        self._back: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        state = self.state
        self._presence = Presence(self._look_up, lambda: self.state.bots(), self._now)
        self._presence.follow(self._note)
        assert state.membership("ann") is not None

    @property
    def state(self) -> RoomState:
        return self.group.room("l-1")

    def _look_up(self, members: Sequence[str]) -> list[Membership]:
        return [each for each in map(self.state.membership, members) if each is not None]

    def _now(self) -> float:
        return self.group.now / SECOND + self._passed

    @property
    def _passed(self) -> float:
        return asyncio.get_running_loop().time() - self._begun

    def _note(self) -> None:
        here = self._presence.here.frame
        assert here is not None
        who = json.loads(here.all.frame)["who"]
        self.frames.append((self._passed, [handle for handle, *_ in who]))
        if len(self.frames) > 2 and len(who) == 2 and not self._back.done():
            self._back.set_result(self._passed)

    async def is_back(self, after: float | None) -> float:
        """How long she is away: until she comes back, or (None) until a bot is seen there."""
        for member in ("ann", "bob"):
            self._presence.come(member)
        await passed(2)
        self._presence.go("ann")
        await passed(2)
        self.group.now += round((self._passed + self._number / MANY) * SECOND)
        self._begun = asyncio.get_running_loop().time()
        if after is None:
            self.group.lose("ann")
            self._presence.rename("stand-in")
        else:
            await passed(after)
            self._presence.come("ann")
        away = await self._back
        shown = [sorted(map(self._named, who)) for _, who in self.frames]
        assert shown == [["ann", "bob"], ["bob"], ["ann", "bob"]]
        return away

    def _named(self, handle: str) -> str:
        return "ann" if handle == self._handle else "bob"


async def passed(seconds: float) -> None:
    """Let the loop's own time go on."""
    over = asyncio.get_running_loop().create_future()
    asyncio.get_running_loop().call_later(seconds, over.set_result, None)
    await over


async def _times() -> tuple[list[float], list[float]]:
    """For how long places are empty: those that a bot takes, and those of who comes back."""
    rng = random.Random(1)
    drawn = [max(LEAST_AWAY, rng.lognormvariate(math.log(MEDIAN), SPREAD)) for _ in range(MANY)]
    taken = [await Seen(n).is_back(None) for n in range(MANY)]
    return taken, [await Seen(n).is_back(after) for n, after in enumerate(drawn)]


def distance(one: Sequence[float], other: Sequence[float]) -> float:
    """The statistic of Kolmogorov and Smirnov: how far two samples' distributions are apart."""

    def share(sample: list[float], value: float) -> float:
        return bisect_right(sample, value) / len(sample)

    some, others = sorted(one), sorted(other)
    return max(abs(share(some, at) - share(others, at)) for at in (*some, *others))


def test_places_that_bots_take_are_seen_again_as_those_of_people_who_come_back() -> None:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        taken, returned = runner.run(_times())
    assert len({*taken}) > MANY * 0.95, "no time is drawn twice"
    assert distance(taken, returned) < FAR
    law = NormalDist(math.log(MEDIAN), SPREAD)
    quantiles = [max(LEAST_AWAY, math.exp(law.inv_cdf((n + 0.5) / MANY))) for n in range(MANY)]
    assert distance(taken, quantiles) < FAR


def test_samples_of_other_distributions_are_further_apart() -> None:
    """So the test could fail: times that are drawn evenly, or are always the same."""
    law = NormalDist(math.log(MEDIAN), SPREAD)
    quantiles = [math.exp(law.inv_cdf((n + 0.5) / MANY)) for n in range(MANY)]
    assert distance(quantiles, [2 * MEDIAN * n / MANY for n in range(MANY)]) > FAR
    assert distance(quantiles, [MEDIAN] * MANY) > FAR
