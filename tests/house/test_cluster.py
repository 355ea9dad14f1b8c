"""What the kill test says of a run: it notices what must not be."""

from __future__ import annotations

from dataclasses import replace

from tests.cluster.journal import Entry, faults_of_runs
from tests.cluster.plan import Fault, Plan
from tests.cluster.run import Outcome
from tests.cluster.tally import Delivery
from tests.cluster.verdict import of_record, of_times

PLAN = Plan(4, 200, 40, 100.0, 20.0, 60.0, 20.0, "nats", 0.0)
MESSAGE = ("room-1", 7)


def _ran(pid: int, *what: str, is_repeat: bool = False) -> list[Entry]:
    return [Entry(*MESSAGE, each, is_repeat, pid) for each in what]


def _talk(begin: int, end: int, took: float) -> list[Delivery]:
    return [Delivery(at / 10, at / 10 + took) for at in range(10 * begin, 10 * end)]


GOOD = Outcome(
    quiet=(0.0, 20.0), faults=[(30.0, Fault(10.0, "worker"))], deliveries=_talk(0, 60, 0.02)
)


def _fails(outcome: Outcome) -> list[str]:
    found = (*of_record(outcome), *of_times(outcome))
    return [verdict.text for verdict in found if not verdict.holds]


def test_a_worker_is_killed_every_20_seconds_and_all_else_once_between() -> None:
    kinds = [(fault.at, fault.kind, fault.number) for fault in PLAN.faults()]
    assert kinds == [
        (10.0, "worker", 0),
        (20.0, "database", 0),
        (30.0, "worker", 1),
        (40.0, "bus", 0),
        (50.0, "worker", 2),
    ]


def test_nothing_fails_so_late_that_it_is_not_seen_whether_all_recovers() -> None:
    assert [fault.at for fault in replace(PLAN, seconds=34.0).faults()] == [10.0, 20.0]


def test_nothing_is_said_against_a_run_that_is_as_it_shall_be() -> None:
    assert _fails(GOOD) == []


def test_what_is_lost_or_refused_or_raised_is_noticed() -> None:
    bad = replace(GOOD, lost=["room-1: gone"], refused=1, runs=["none"], tracebacks=["Traceback"])
    assert len(_fails(bad)) == 4


def test_a_recovery_that_takes_too_long_is_noticed() -> None:
    late = [Delivery(30.5, 35.2)]
    [text] = _fails(replace(GOOD, deliveries=[*GOOD.deliveries, *late]))
    assert text.startswith("worker 0 killed: as before after 5.20 s")
    early = [Delivery(29.5, 31.0)]
    assert _fails(replace(GOOD, deliveries=[*GOOD.deliveries, *early])) == []


def test_messages_that_are_slow_long_after_a_fault_are_noticed() -> None:
    slow = [*_talk(0, 40, 0.02), *_talk(40, 60, 0.3)]
    [text] = _fails(replace(GOOD, deliveries=slow))
    assert text.startswith("p99 300.0 ms between faults, 20.0 ms when it was quiet")


def test_a_machine_that_is_too_busy_is_noticed() -> None:
    [text] = _fails(replace(GOOD, deliveries=_talk(0, 60, 0.2)))
    assert text.startswith("p99 200.0 ms when it was quiet")


def test_a_message_that_waits_for_the_bus_is_noticed() -> None:
    gone = replace(GOOD, gone=(60.0, 90.0), deliveries=[*GOOD.deliveries, *_talk(60, 90, 0.5)])
    assert _fails(gone) == []
    late = replace(gone, deliveries=[*gone.deliveries, Delivery(70.0, 72.1)])
    assert len(_fails(late)) == 1


def test_a_callback_that_runs_twice_without_a_reason_is_noticed() -> None:
    once = _ran(1, "begins", "ends")
    again = _ran(2, "begins", "ends", is_repeat=True)
    assert faults_of_runs(once, [MESSAGE], ()) == []
    assert faults_of_runs([*once[:1], *again], [MESSAGE], [1]) == []
    assert faults_of_runs([*once, *again], [MESSAGE], ()) != []
    assert faults_of_runs([*once, *_ran(2, "begins", "ends")], [MESSAGE], [1]) != []
    assert faults_of_runs(once[:1], [MESSAGE], [1]) != []
    assert faults_of_runs([], [MESSAGE], ()) != []
    assert faults_of_runs(once, [], ()) != []
