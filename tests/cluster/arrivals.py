"""People who arrive at a study on several workers, and come to another one when that is killed."""

from __future__ import annotations

import asyncio
import secrets
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import suppress
from random import Random
from typing import Any

from websockets.exceptions import WebSocketException

from tests.bench.clock import pause
from tests.cluster.groups import faults_of_groups
from tests.cluster.plan import Plan
from tests.cluster.servers import ARRIVALS_APP, Cluster, serving
from tests.support.visitor import Visitor, visitor

__all__ = ["arrivals"]

AGAIN = 0.3
"""Pause before somebody opens a page again whose server is gone, in seconds."""
SETTLED_WITHIN = 300.0
"""How long it may take after the last arrival until everybody has a group or an end, in seconds."""
_SCREENS = ("consent", "ready", "wait_again", "ended", "moment", "idle", "none")


async def arrivals(
    plan: Plan, number: int, chance: Random, tell: Callable[[str], None]
) -> tuple[Counter[str], list[str]]:
    """
    Have people arrive while servers are killed.

    Returns
    -------
    Counter of str, list of str
        What they came to: "grouped", or the code of an end; and what must not be.
    """
    async with serving(plan, app=ARRIVALS_APP) as cluster:
        crowd = _Crowd(cluster, chance)
        tell(f"{number} people arrive within {plan.seconds:g} s; servers are killed meanwhile")
        async with asyncio.TaskGroup() as both:
            both.create_task(cluster.fail(plan.faults()))
            await crowd.arrive(number, plan.seconds)
        tell(f"they came to {dict(crowd.outcomes)}, {crowd.again} pages were opened again")
        faults = await asyncio.to_thread(faults_of_groups, cluster.url, crowd.outcomes)
        return crowd.outcomes, [*faults, *cluster.tracebacks()]


class _Crowd:
    """The people, each with a browser of their own."""

    def __init__(self, cluster: Cluster, chance: Random) -> None:
        self.outcomes = Counter[str]()
        self.again = 0
        self._cluster = cluster
        self._chance = chance
        self._over = asyncio.Event()

    async def arrive(self, number: int, seconds: float) -> None:
        """Have all of them come, and wait until everybody has a group or an end."""
        at = sorted(self._chance.uniform(0, seconds) for _ in range(number))
        people = [asyncio.create_task(self._comes(after)) for after in at]
        try:
            async with asyncio.timeout(seconds + SETTLED_WITHIN):
                while self.outcomes.total() < number and not any(task.done() for task in people):
                    await asyncio.wait(people, timeout=0.2, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            self.outcomes["nothing"] += number - self.outcomes.total()
            for task in people:
                task.cancel()
        self._over.set()
        await asyncio.gather(*people, return_exceptions=self.outcomes["nothing"] > 0)

    async def _comes(self, after: float) -> None:
        await pause(after)
        key = secrets.token_hex(16)
        while True:
            with suppress(OSError, WebSocketException, EOFError):
                async with visitor(self._chance.choice(self._cluster.ports), key=key) as page:
                    outcome = await _first(_takes_part(page), page.is_cut_off())
                    if outcome is not None:
                        self.outcomes[outcome] += 1
                        await self._over.wait()
                        return
            self.again += 1
            await pause(AGAIN)


async def _first(taking: Coroutine[Any, Any, str], cut: Coroutine[Any, Any, None]) -> str | None:
    """What somebody came to; None: their page was cut off before."""
    tasks = [asyncio.ensure_future(taking), asyncio.ensure_future(cut)]
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return tasks[0].result() if tasks[0].done() else None
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


async def _takes_part(page: Visitor) -> str:
    """Do what the study asks, until there is a group or an end; gives "grouped" or its code."""
    while True:
        await page.until(lambda: _is_in_group(page) or page.screen.get("is") in _SCREENS)
        screen = page.screen
        if _is_in_group(page):
            return "grouped"
        if screen["is"] == "ended":
            return screen["code"]["value"]
        if screen["is"] == "consent":
            await page.does("consent", version="1", answers={})
        asked = [button["do"] for button in screen.get("buttons", ())]
        for action in ("ready", "wait_again", "confirm"):
            if action in asked:
                await page.does(action)
        await page.until(lambda seen=screen: page.screen is not seen or _is_in_group(page))


def _is_in_group(page: Visitor) -> bool:
    return "Your group" in page.page
