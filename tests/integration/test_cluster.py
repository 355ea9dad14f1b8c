"""Several workers on one database: some are killed, and so are the database and the bus."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.server import ROOT

SMALL = "--workers 3 --people 24 --rooms 8 --rate 10 --quiet 1 --seconds 26 --every 8 --any-speed"
BUSES = ("nats", "redis")


def _runs(*options: str) -> None:
    command = [sys.executable, "-m", "tests.cluster", *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("bus", BUSES)
def test_nothing_is_lost_or_doubled_when_workers_the_database_and_the_bus_are_killed(
    bus: str,
) -> None:
    _runs("--bus", bus, *SMALL.split())


def test_people_who_arrive_meanwhile_are_all_grouped_once() -> None:
    _runs("--arrivals", "24", *SMALL.split())


@pytest.mark.long
@pytest.mark.parametrize("bus", BUSES)
def test_200_people_on_4_workers_lose_nothing_and_wait_for_5_seconds_at_most(bus: str) -> None:
    _runs("--bus", bus, "--bus-gone", "30")


@pytest.mark.long
def test_200_people_who_arrive_meanwhile_are_all_grouped_once() -> None:
    _runs("--arrivals", "200")
