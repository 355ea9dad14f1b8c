"""What `labchat doctor` says of real buses."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from shiny_labchat.doctor.bus import check_bus
from tests.support.bus_servers import KINDS, BusServer

pytestmark = pytest.mark.anyio


@pytest.fixture(params=KINDS)
def bus(request: pytest.FixtureRequest) -> Iterator[BusServer]:
    server = BusServer(request.param)
    server.start()
    yield server
    server.stop()


async def test_a_bus_that_works_is_well_and_one_that_is_away_is_wrong(bus: BusServer) -> None:
    found = await check_bus(bus.url)
    assert found.verdict == "ok", found
    bus.kill()
    away = await check_bus(bus.url)
    assert away.verdict == "wrong" and away.change


# NATS's driver leaves a connection that said nothing to the garbage collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
async def test_a_bus_that_says_nothing_is_wrong() -> None:
    nats = BusServer("nats")
    nats.start()
    nats.suspend()
    found = await check_bus(nats.url)
    nats.go_on()
    nats.stop()
    gc.collect()
    assert found.verdict == "wrong" and found.change


@pytest.mark.parametrize("url", ["nothing", "mqtt://127.0.0.1", "nats://"])
async def test_what_is_no_bus_is_wrong(url: str) -> None:
    assert (await check_bus(url)).verdict == "wrong"


async def test_a_password_is_not_said(bus: BusServer) -> None:
    bus.kill()
    scheme, _, rest = bus.url.partition("://")
    where = rest.rpartition("@")[2]
    found = await check_bus(f"{scheme}://me:secret@{where}")
    assert found.verdict == "wrong" and "secret" not in found.says + found.change
