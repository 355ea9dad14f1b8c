"""A run: people talk while servers are killed, and all is compared with the log at the end."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from shiny_labchat import Lab, Room
from tests.bench.clock import now, pause
from tests.cluster.journal import entries, faults_of_runs, is_complete
from tests.cluster.people import STUDY, People, people
from tests.cluster.plan import RECOVERY, Fault, Plan
from tests.cluster.servers import Cluster, serving
from tests.cluster.tally import Delivery, deliveries
from tests.support.reconnecting_client import ReconnectingClient, agree

__all__ = ["Outcome", "run"]

WARM = 3.0
"""How long people talk before anything is measured, in seconds."""
HEARD_WITHIN, RAN_WITHIN = 60.0, 30.0
"""How long it is waited until all have everything, and until one more callback ran, in seconds."""


@dataclass(slots=True)
class Outcome:
    """
    What a run came to.

    Attributes
    ----------
    quiet
        When the time without faults began and ended, in seconds.
    gone
        When there was no bus; None: that was not tried.
    faults
        When which fault was made.
    deliveries
        All that was said, to each who was shown it.
    said, refused, resets
        Messages that were said, and that were refused; pages that had to begin anew.
    lost
        Rooms where something is lost, doubled or different, with what.
    runs
        What is wrong with the runs of callbacks.
    repeats
        How many runs were repeats after a worker had been killed.
    tracebacks
        Errors in the workers' logs that nobody has caught.
    """

    quiet: tuple[float, float] = (0.0, 0.0)
    gone: tuple[float, float] | None = None
    faults: list[tuple[float, Fault]] = field(default_factory=list[tuple[float, Fault]])
    deliveries: list[Delivery] = field(default_factory=list[Delivery])
    said: int = 0
    refused: int = 0
    resets: int = 0
    lost: list[str] = field(default_factory=list[str])
    runs: list[str] = field(default_factory=list[str])
    repeats: int = 0
    tracebacks: list[str] = field(default_factory=list[str])


async def run(plan: Plan, journal: Path, chance: Random, tell: Callable[[str], None]) -> Outcome:
    """
    Do what a plan says.

    Parameters
    ----------
    plan
        What happens.
    journal
        Where callbacks write their runs.
    chance
        Decides who is where.
    tell
        Called with what happens.
    """
    outcome = Outcome()
    async with serving(plan, journal) as cluster:
        lab = Lab(cluster.url, bus="none")
        try:
            async with people(lab, cluster.ports, plan.people, plan.rooms, chance) as crowd:
                tell(f"{plan.people} people are in {plan.rooms} rooms on {plan.workers} workers")
                await _talk(plan, cluster, crowd, outcome, tell)
                await _compare(crowd, outcome, tell)
                messages = [each for room, _ in crowd.rooms for each in await _messages(room)]
            await _look_at_runs(journal, messages, cluster, outcome)
        finally:
            lab.log.close()
    outcome.faults = cluster.faults
    outcome.tracebacks = cluster.tracebacks()
    return outcome


async def _talk(
    plan: Plan, cluster: Cluster, crowd: People, outcome: Outcome, tell: Callable[[str], None]
) -> None:
    await crowd.talk(WARM, plan.rate)
    tell(f"nothing fails for {plan.quiet:g} s")
    begin, worked = now(), cluster.worked()
    await crowd.talk(plan.quiet, plan.rate)
    outcome.quiet = begin, now()
    share = (cluster.worked() - worked) / (now() - begin)
    tell(f"the workers have used {100 * share:.0f} % of one processor")
    tell(f"workers, the database and the bus are killed within {plan.seconds:g} s")
    async with asyncio.TaskGroup() as both:
        both.create_task(cluster.fail(plan.faults()))
        await crowd.talk(plan.seconds, plan.rate)
    if plan.bus_gone:
        await crowd.talk(RECOVERY, plan.rate)
        tell(f"there is no bus for {plan.bus_gone:g} s")
        begin = now()
        async with asyncio.TaskGroup() as both:
            both.create_task(cluster.be_without_bus(plan.bus_gone))
            await crowd.talk(plan.bus_gone, plan.rate)
        outcome.gone = begin, now()
    outcome.said = crowd.said


async def _compare(crowd: People, outcome: Outcome, tell: Callable[[str], None]) -> None:
    tell("all is compared with the log")
    for room, some in crowd.rooms:
        try:
            await agree(some, room, within=HEARD_WITHIN)
        except AssertionError as exc:
            outcome.lost.append(f"{room.id}: {exc}"[:2_000])
        outcome.deliveries += deliveries(some)
        outcome.refused += _count(some, lambda one: len(one.refused))
        outcome.resets += _count(some, lambda one: one.resets)


def _count(some: list[ReconnectingClient], of: Callable[[ReconnectingClient], int]) -> int:
    return sum(map(of, some))


async def _messages(room: Room) -> list[tuple[str, int]]:
    assert room.key.study == STUDY
    return [(room.id, seq) for each in await room.messages() if (seq := each.seq) is not None]


async def _look_at_runs(
    journal: Path, messages: Collection[tuple[str, int]], cluster: Cluster, outcome: Outcome
) -> None:
    noted, came_at = entries(journal), now()
    while not is_complete(noted, messages) and now() < came_at + RAN_WITHIN:
        await pause(0.5)
        before, noted = noted, entries(journal)
        came_at = now() if len(noted) > len(before) else came_at
    outcome.runs = faults_of_runs(noted, messages, cluster.killed)
    outcome.repeats = sum(each.is_repeat and each.what == "begins" for each in noted)
