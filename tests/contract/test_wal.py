"""The write-ahead log stays short whoever reads, and who prevents that is named."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from shiny_labchat import Room
from shiny_labchat.domain.commands import Post
from shiny_labchat.lab.stream import RoomStream
from shiny_labchat.store.wal import LONG, TOO_LONG

pytestmark = pytest.mark.anyio
PIECE = 20_000
"""How much is written in one transaction, in bytes."""


@pytest.fixture
def path(sqlite_file: Path) -> Path:
    return sqlite_file


def size_of(path: Path) -> int:
    return path.with_name(f"{path.name}-wal").stat().st_size


@contextmanager
def reading(path: Path, number: int = 3) -> Iterator[None]:
    """Some others read all the time, each in one short transaction after the other."""
    over = threading.Event()

    def read() -> None:
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            while not over.is_set():
                other.execute("BEGIN")
                other.execute("SELECT max(seq) FROM event").fetchall()
                over.wait(0.002)
                other.execute("COMMIT")

    threads = [threading.Thread(target=read) for _ in range(number)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        over.set()
        for thread in threads:
            thread.join()


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Another reads in one transaction all the time."""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN")
        other.execute("SELECT max(seq) FROM event").fetchall()
        yield


async def write(room: Room, path: Path, size: int) -> int:
    """Post so much; the largest size of the file meanwhile."""
    largest = 0
    for _ in range(size // PIECE):
        await room.post("x" * PIECE)
        largest = max(largest, size_of(path))
    return largest


async def test_it_stays_short_though_somebody_always_reads(room: Room, path: Path) -> None:
    with reading(path):
        assert await write(room, path, 2 * TOO_LONG) < TOO_LONG


async def test_twenty_streams_cost_it_little(room: Room, path: Path) -> None:
    """The pieces of a tick are in one page or two."""
    speakers: list[Any] = [await RoomStream.open(room, Post([]), None) for _ in range(20)]
    before, write, written = size_of(path), room.log.write, asyncio.Event()

    def tell(job: Any, *, keeps_books: bool = True) -> Any:
        written.set()
        return write(job, keeps_books=keeps_books)

    room.log.write = tell
    for _ in range(20):
        written.clear()
        for speaker in speakers:
            await speaker.append([("markdown", "word ")])
        await written.wait()
    assert size_of(path) - before < 25 * 4 * 4_120
    for speaker in speakers:
        await speaker.close("done")


async def test_who_reads_in_one_transaction_is_named_once_and_then_it_is_short_again(
    room: Room, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with held(path):
        assert await write(room, path, TOO_LONG + 2_000_000) > TOO_LONG
        async with asyncio.timeout(60):
            while "has read the database in one transaction" not in caplog.text:
                await write(room, path, PIECE)
    async with asyncio.timeout(60):
        while size_of(path) > LONG:
            await write(room, path, PIECE)
    assert caplog.text.count("has read the database in one transaction") == 1
