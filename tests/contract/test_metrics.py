"""What is counted of the log and its rooms, by OpenTelemetry's SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room, StoreError
from shiny_labchat.lab.runtime import Runtime
from tests.support.bus_servers import BusServer
from tests.support.database import held
from tests.support.metrics import measured

pytestmark = pytest.mark.anyio


@pytest.fixture(autouse=True)
def counting() -> None:
    measured()


@pytest.fixture
def locked(room: Room) -> Iterator[sa.Connection]:
    """Another programme is in the middle of writing, until it commits."""
    with held(room.log.url.render_as_string()) as conn:
        yield conn


def now(name: str, *attributes: str) -> float:
    return measured().get((name, frozenset(attributes)), 0)


async def test_stored_events_and_their_transactions_are_counted(room: Room) -> None:
    events, commits = now("labchat.stored_events"), now("labchat.commit.duration")
    for n in range(3):
        await room.post(f"{n}")
    await room.log.settled()  # a transaction is counted when its senders have been told
    await room.log.settled()
    assert now("labchat.stored_events") == events + 3
    assert now("labchat.commit.duration") >= commits + 4


async def test_a_refused_command_counts_as_no_event(room: Room) -> None:
    await room.log.settled()
    events = now("labchat.stored_events")
    await room.post("once", id="1")
    await room.post("once", id="1")
    await room.log.settled()
    await room.log.settled()
    assert now("labchat.stored_events") == events + 1


async def test_a_transaction_that_fails_is_counted_with_its_code(
    room: Room, sqlite_file: Path
) -> None:
    await room.post("before")
    failed = now("labchat.commit.duration", "store_gone")
    sqlite_file.unlink()
    with pytest.raises(StoreError):
        await room.post("after")
    for _ in range(1_000):
        if now("labchat.commit.duration", "store_gone") > failed:
            break
        await asyncio.to_thread(int)
    assert now("labchat.commit.duration", "store_gone") == failed + 1


async def test_commands_that_wait_are_counted(room: Room, locked: sa.Connection) -> None:
    log = room.log
    first = asyncio.ensure_future(room.post("0"))
    while log.waiting or not first.done() and not log.is_writing:
        await asyncio.to_thread(int)
    before = now("labchat.queued_commands")
    others = [log.settled() for _ in range(3)]
    assert now("labchat.queued_commands") >= before + 2
    locked.commit()
    await asyncio.gather(first, *others)
    assert log.waiting == 0


async def test_rooms_are_counted_while_somebody_has_them_open(room: Room) -> None:
    before = now("labchat.open_rooms")
    live = await Runtime.of(room.log).live.open(room.key)
    again = await Runtime.of(room.log).live.open(room.key)
    assert now("labchat.open_rooms") == before + 1
    live.leave()
    assert now("labchat.open_rooms") == before + 1
    again.leave()
    assert now("labchat.open_rooms") == before


async def test_a_room_that_reads_what_it_has_missed_is_counted(room: Room) -> None:
    live = await Runtime.of(room.log).live.open(room.key)
    before = now("labchat.catch_ups", "room")
    await live.catch_up()
    assert now("labchat.catch_ups", "room") == before + 1
    live.leave()


async def test_the_delay_of_a_bus_is_counted(url: str) -> None:
    nats = BusServer("nats")
    nats.start()
    lab = Lab(url, bus=nats.url)
    try:
        before = now("labchat.bus.delay")
        await lab.create_room("r", study="s")
        async with asyncio.timeout(30):
            while now("labchat.bus.delay") <= before:
                await asyncio.to_thread(int)
    finally:
        lab.log.close()
        nats.stop()
