"""A database in trouble: people are told, nothing is lost, and it is over by itself."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import tempfile
from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy import event

from shiny_labchat import Lab, Room, StoreError
from shiny_labchat.domain.commands import Post, Say
from shiny_labchat.errors import SENTENCES, SchemaTooNew
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.store import Committed
from shiny_labchat.store.sqlite import BUSY_TIMEOUT
from shiny_labchat.store.writer import WAITING

from . import elsewhere
from .hearing import heard_in


@pytest.fixture
def path(room: Room, sqlite_file: Path) -> Path:
    return sqlite_file


@contextmanager
def locked(path: Path) -> Iterator[sqlite3.Connection]:
    """Another programme is in the middle of writing."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield other
    finally:
        other.close()


async def code_of(doing: Awaitable[object]) -> str:
    try:
        await asyncio.wait_for(doing, 30)
    except StoreError as exc:
        assert exc.say == SENTENCES[exc.code] and "lab.db" in exc.url
        return exc.code
    return "stored"


async def test_a_locked_database_is_told_and_over_when_it_is_free(room: Room, path: Path) -> None:
    await room.post("before", id="0")
    with locked(path):
        writing = asyncio.gather(*(code_of(room.post("x", id=f"{n}")) for n in (1, 2)))
        assert [m.id for m in await room.messages()] == ["0"]  # reading goes on
        assert await writing == ["store_busy", "store_busy"]
    assert await code_of(room.post("x", id="1")) == "stored"
    assert [m.id for m in await room.messages()] == ["0", "1"]


async def test_what_others_have_stored_is_heard_while_somebody_writes(
    room: Room, path: Path
) -> None:
    elsewhere.said_by(elsewhere.start(elsewhere.post, str(room.log.url), "from afar"))
    heard: asyncio.Queue[Committed] = asyncio.Queue()

    def listen(news: list[Committed]) -> None:
        for each in news:
            heard.put_nowait(each)

    room.log.listen(listen)
    with locked(path):
        room.log.watch(room.key)
        assert (await asyncio.wait_for(heard.get(), BUSY_TIMEOUT - 1)).state.seq == 4


async def test_a_short_lock_is_waited_for(room: Room, path: Path) -> None:
    with locked(path) as other:
        writing = asyncio.ensure_future(code_of(room.post("x")))
        await room.messages()
        assert not writing.done()
        other.execute("ROLLBACK")
        assert await writing == "stored"


async def test_whoever_comes_when_too_many_wait_is_told_at_once(room: Room, path: Path) -> None:
    with locked(path) as other:
        command = Post([("text", "x")])
        waiting = [room.log.submit(room.key, command) for _ in range(WAITING)]
        with pytest.raises(StoreError) as caught:
            for _ in range(2_000):  # the writer may have taken a batch already
                waiting.append(room.log.submit(room.key, command))
        assert caught.value.code == "store_busy"
        other.execute("ROLLBACK")
        await asyncio.gather(*waiting)
    assert len(await room.messages()) == len(waiting)


async def test_a_vanished_database_is_told_and_back_when_it_is_back(room: Room, path: Path) -> None:
    await room.post("before", id="0")
    path.rename(path.with_suffix(".away"))
    assert await code_of(room.post("x", id="1")) == "store_gone"
    assert await code_of(room.messages()) == "store_gone"
    assert not path.exists(), "an empty database in its place would hide the loss"
    path.with_suffix(".away").rename(path)
    assert await code_of(room.post("x", id="1")) == "stored"
    assert [m.id for m in await room.messages()] == ["0", "1"]


async def test_who_only_listens_hears_again_after_the_trouble(room: Room, path: Path) -> None:
    live = await Runtime.of(room.log).live.open(room.key)
    heard = heard_in(live)
    path.rename(path.with_suffix(".away"))
    assert await code_of(room.post("x")) == "store_gone"
    path.with_suffix(".away").rename(path)
    elsewhere.said_by(elsewhere.start(elsewhere.post, str(room.log.url), "back"))
    back = await asyncio.wait_for(heard.get(), 10)
    assert back.data["parts"] == [["text", "back"]]


async def test_after_the_trouble_only_what_has_changed_is_read(
    lab: Lab, room: Room, path: Path
) -> None:
    rooms = [await lab.create_room(f"r{n}", study="many") for n in range(30)]
    live = [await Runtime.of(lab.log).live.open(each.key) for each in (room, *rooms)]
    heard = heard_in(live[0])
    asked: list[str] = []

    def note(*args: object) -> None:
        asked.append(str(args[2]))

    event.listen(sa.Engine, "before_cursor_execute", note)
    try:
        path.rename(path.with_suffix(".away"))
        assert await code_of(room.post("x")) == "store_gone"
        path.with_suffix(".away").rename(path)
        elsewhere.said_by(elsewhere.start(elsewhere.post, str(room.log.url), "back"))
        await asyncio.wait_for(heard.get(), 10)
    finally:
        event.remove(sa.Engine, "before_cursor_execute", note)
    assert len([each for each in asked if "FROM event" in each]) <= 2, asked


async def test_a_database_exchanged_for_another_is_not_mixed_up(room: Room, path: Path) -> None:
    await room.post("old")
    for file in path.parent.glob("lab.db*"):
        file.rename(file.with_name(f"old-{file.name}"))
    elsewhere.said_by(elsewhere.start(elsewhere.post, str(room.log.url), "new"))
    await room.post("newer")
    assert [m.content for m in await room.messages()] == ["new", "newer"]


async def test_a_database_in_a_folder_that_comes_later_works_then(tmp_path: Path) -> None:
    lab = Lab(f"sqlite:///{tmp_path}/later/lab.db")
    try:
        assert await code_of(lab.create_room("r")) == "store_missing"
        (tmp_path / "later").mkdir()
        assert await code_of(lab.create_room("r")) == "stored"
    finally:
        lab.log.close()


async def test_a_newer_schema_is_refused_with_what_to_do(room: Room, path: Path) -> None:
    await room.post("hi")
    room.log.close()
    with sqlite3.connect(path) as other:
        other.execute("UPDATE labchat_version SET version_num = '9999'")
    other.close()
    for doing in ("messages", "create"):
        fresh = _fresh(room)
        try:
            with pytest.raises(SchemaTooNew, match="9999.*install a newer"):
                await getattr(fresh, doing)()
        finally:
            fresh.log.close()
    with sqlite3.connect(path) as other:
        assert other.execute("SELECT count(*) FROM event").fetchone() == (4,)
    other.close()


def _fresh(room: Room) -> Room:
    from shiny_labchat.store.log import Log

    return type(room)(Log(room.log.url), room.key, room._settings)


async def test_a_file_that_is_no_database_is_told_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "lab.db"
    path.write_text("my diary " * 1000)
    lab = Lab(f"sqlite:///{path}")
    try:
        assert await code_of(lab.create_room("r")) == "store_broken"
    finally:
        lab.log.close()
    assert path.read_text() == "my diary " * 1000


def test_a_full_disk_is_told_loses_nothing_and_is_over_when_there_is_room(
    url: str, sqlite_file: Path
) -> None:
    said = elsewhere.said_by(elsewhere.start(elsewhere.run_out_of_disk, url))
    assert said.split() == ["store_full", "store_full", "store_full", "stored", "2"]


def test_a_file_that_may_only_be_read_is_told_and_over_when_it_may_be_written() -> None:
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        url = f"sqlite:///{folder}/lab.db"
        elsewhere.said_by(elsewhere.start(elsewhere.post, url, "before"))
        said = elsewhere.said_by(elsewhere.start(elsewhere.may_not_write, url))
    assert said.split() == ["store_read_only", "store_read_only", "stored", "2"]


async def test_trouble_is_told_to_each_who_waits(room: Room, path: Path) -> None:
    path.rename(path.with_suffix(".away"))
    sent = [room.log.submit(room.key, Say("a", "x", f"{n}", "p")) for n in range(100)]
    answers = await asyncio.gather(*sent, return_exceptions=True)
    assert {a.code for a in answers if isinstance(a, StoreError)} == {"store_gone"}
    assert sum(isinstance(a, StoreError) for a in answers) == 100
    path.with_suffix(".away").rename(path)
