"""What a lab of any size needs: computed and simulated."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.bench.results import Result
from tests.scaling.cluster import BUSY, Cluster, demand, processes_for
from tests.scaling.costs import Costs, costs_of
from tests.scaling.simulation import simulate

COSTS = Costs(
    store=1.0,
    deliver=0.02,
    hear=0.5,
    ring=0.1,
    database=0.5,
    commit=1.0,
    passing=2.0,
    admit=10.0,
    rest=0.02,
    process_rest=5.0,
    process=150.0,
    page=0.1,
    room=0.05,
)
QUIET = Cluster(500, 100, 1, pause=500.0)
"""One message a second: nothing ever waits."""


def test_a_room_is_open_in_as_many_processes_as_its_people_have_come_to() -> None:
    assert Cluster(500, 100, 1).spread == 1
    assert Cluster(500, 100, 2).spread == pytest.approx(2 - 2 / 2**5)
    assert 4.8 < Cluster(100_000, 20_000, 100).spread < 5
    assert Cluster(100_000, 20_000, 100, are_together=True).spread == 1


def test_the_shares_of_the_work_are_all_of_it_and_it_is_shared_out_evenly() -> None:
    load = demand(COSTS, Cluster(10_000, 2_000, 8))
    assert sum(load.shares.values()) == pytest.approx(1)
    assert load.busy * 8 == pytest.approx(load.servers)


def test_twice_as_many_people_in_twice_as_many_rooms_need_twice_the_database() -> None:
    small, large = (demand(COSTS, Cluster(n, n // 5, 4)) for n in (1_000, 2_000))
    assert large.database == pytest.approx(2 * small.database)
    assert large.deliveries == pytest.approx(2 * small.deliveries)


def test_no_more_processes_are_taken_than_are_needed() -> None:
    cluster = Cluster(10_000, 2_000, 1)
    number = processes_for(COSTS, cluster)
    assert number is not None
    assert demand(COSTS, replace(cluster, processes=number)).busy <= BUSY
    assert demand(COSTS, replace(cluster, processes=number - 1)).busy > BUSY


def test_processes_that_hear_of_all_rooms_can_be_too_many_for_any_number() -> None:
    costs = replace(COSTS, ring=0.5)
    largest = Cluster(100_000, 20_000, 1, hear_all=True)
    assert processes_for(costs, largest) is None
    assert processes_for(costs, replace(largest, hear_all=False)) is not None


def test_where_nothing_waits_a_message_takes_what_its_steps_take() -> None:
    talk = simulate(COSTS, QUIET, 200.0)
    besides = 1 - talk.busy
    steps = COSTS.store + COSTS.commit + 3 * COSTS.deliver  # the third of five has it then
    assert talk.p50 == pytest.approx(steps, rel=0.1 / besides)
    assert talk.batch == pytest.approx(1, abs=0.02)


def test_people_at_another_process_have_a_message_later() -> None:
    apart = simulate(COSTS, replace(QUIET, processes=2), 200.0)
    together = simulate(COSTS, replace(QUIET, processes=2, are_together=True), 200.0)
    assert apart.p99 > together.p50 + COSTS.passing + COSTS.hear


def test_messages_that_come_faster_than_transactions_are_stored_together() -> None:
    costs = replace(COSTS, commit=20.0, store=0.1)
    talk = simulate(costs, Cluster(500, 100, 1, pause=1.0), 5.0)
    assert talk.batch == pytest.approx(10, rel=0.2)
    assert talk.busy < 1


def test_more_than_a_process_can_do_waits_longer_and_longer() -> None:
    costs = replace(COSTS, store=3.0)
    short, long = (simulate(costs, Cluster(500, 100, 1, pause=1.0), s) for s in (2.0, 8.0))
    assert long.p99 > 2 * short.p99 > 200


def test_the_same_chance_gives_the_same() -> None:
    cluster = Cluster(500, 100, 2, pause=5.0)
    assert simulate(COSTS, cluster, seed=7) == simulate(COSTS, cluster, seed=7)


def test_costs_are_taken_apart_into_what_a_message_takes_and_what_each_person_does() -> None:
    found = costs_of(_bench(), COSTS)
    assert found.store == pytest.approx(2.0)
    assert found.deliver == pytest.approx(0.03)
    assert found.hear == pytest.approx(1.0)
    assert (found.rest, found.database) == pytest.approx((0.02, 1.0))
    assert found.admit == pytest.approx(12.0)
    assert (found.page, found.room, found.process) == pytest.approx((0.12, 0.03, 140.0))
    assert found.ring == COSTS.ring


def test_costs_of_a_bench_that_lacks_something_are_refused() -> None:
    results = [result for result in _bench() if result.scenario != "memory"]
    with pytest.raises(ValueError, match="memory"):
        costs_of(results, COSTS)


def _bench() -> list[Result]:
    """
    A message takes 2 ms, and 0.03 ms for each person; a second process adds 1 ms.

    An open page takes 0.02 ms a second, and a process 5 ms.
    """

    def engine(people: int) -> Result:
        values = {"server": 1000 * (2.0 / people + 0.03), "p50": 6.0}
        return Result("engines", f"{people} people", "PostgreSQL", 0, values)

    def process(case: str, side: str, **values: float) -> Result:
        return Result("workers", f"{case}, PostgreSQL, NATS", side, 0, values)

    memory = {"server": 140.0, "session": 12.0, "room": 3.0}
    a_second = 2.0 * 200 + 0.03 * 1_000 + 500 * 0.02 + 5.0
    usual = {"workers": 1000 * a_second / 1_000, "database": 200.0, "p50": 4.0}
    return [
        engine(10),
        engine(50),
        process("50 people", "one", all=80.0),
        process("50 people", "two", all=100.0, rest=2 * 5.0 + 50 * 0.02),
        process("100 rooms of 5", "one", **usual),
        Result("rooms", "100 rooms of 5", "ours", 0, {"admit": 12.0}),
        Result("memory", "resident memory", "ours", 0, memory),
    ]
