"""Rooms are read beside the writer: who waits, in which order, and that nobody else does."""

from __future__ import annotations

import asyncio
import queue
import sys
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy.exc import DatabaseError

from shiny_labchat.concurrency import UNHURRIED
from shiny_labchat.domain.commands import Say
from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.batch import Batch
from shiny_labchat.store.database import Database
from shiny_labchat.store.heads import Heads, load_head
from shiny_labchat.store.loading import HeadLoader, Loaded
from shiny_labchat.store.sqlite import parse
from shiny_labchat.store.sqlite_file import File
from shiny_labchat.store.work import Work

from .conftest import Rooms


class Loading:
    """
    A loader whose thread reads, and what it has put into the writer's queue.

    Parameters
    ----------
    rooms
        The database.
    """

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.loop = asyncio.new_event_loop()
        self.heads = Heads()
        self.put: queue.SimpleQueue[Loaded | Work] = queue.SimpleQueue()
        self.database = Database(File(parse(f"sqlite:///{rooms.path}")), write=False)
        self.loader = HeadLoader(self.heads, self.database, self.put.put)

    def say(self, key: LogKey, text: str) -> Work:
        return Work(self.loop, _ignore, (key,), Say("a", text, text, "page"))

    def job(self, *, is_last: bool = False) -> Work:
        return Work(self.loop, _ignore, job=lambda conn, now: None, is_last=is_last)

    def loaded(self) -> list[Work] | None:
        """Take the next room that was read."""
        item = self.put.get(timeout=30)
        assert isinstance(item, Loaded) and item.error is None
        return self.loader.take(item)


def _ignore(result: object, error: BaseException | None) -> None: ...


@pytest.fixture
def loading(rooms: Rooms) -> Iterator[Loading]:
    rooms.make(3)
    loading = Loading(rooms)
    yield loading
    loading.loader.close()
    loading.database.forget()
    loading.loop.close()


def test_who_waits_for_a_room_is_given_in_order_and_others_do_not_wait(loading: Loading) -> None:
    one, other, _ = loading.rooms.keys.values()
    assert loading.loader.must_wait(loading.say(other, "0"))
    loading.loaded()
    waiting = [loading.say(one, f"{n}") for n in range(3)]
    assert [loading.loader.must_wait(work) for work in waiting] == [True] * 3
    assert not loading.loader.must_wait(loading.say(other, "x"))
    assert not loading.loader.must_wait(loading.job())
    assert loading.loader.waiting == 3
    assert loading.loaded() == waiting
    assert loading.loader.waiting == 0 and loading.loader.is_idle
    assert not loading.loader.must_wait(loading.say(one, "4"))


def test_who_asks_to_be_last_comes_after_all_that_waits(loading: Loading) -> None:
    one, other, _ = loading.rooms.keys.values()
    waiting = [loading.say(one, "1"), loading.say(other, "2")]
    last = loading.job(is_last=True)
    assert all(loading.loader.must_wait(work) for work in (*waiting, last))
    assert [loading.loaded(), loading.loaded()] == [[waiting[0]], [waiting[1]]]
    assert loading.put.get(timeout=30) is last
    assert not loading.loader.must_wait(last)


def test_a_room_that_does_not_exist_is_no_reason_to_wait_for_ever(loading: Loading) -> None:
    work = loading.say(LogKey("s", "nowhere"), "1")
    assert loading.loader.must_wait(work)
    assert loading.loaded() == [work]


def test_a_head_that_is_newer_is_kept(loading: Loading) -> None:
    key = loading.rooms.keys[1]
    loading.loader.load(key)
    item = loading.put.get(timeout=30)
    loading.rooms.join(1, 2)
    newer = Loading(loading.rooms)
    newer.loader.load(key)
    newer.loaded()
    head = newer.heads.get(key)
    assert head is not None and head.state.seq == 3
    loading.heads.keep(key, head)
    assert isinstance(item, Loaded) and loading.loader.take(item) == []
    assert loading.heads.get(key) == head
    newer.loader.close()
    newer.database.forget()
    newer.loop.close()


def test_what_was_read_before_the_database_was_opened_again_is_read_again(
    loading: Loading,
) -> None:
    key = loading.rooms.keys[1]
    work = loading.say(key, "1")
    assert loading.loader.must_wait(work)
    before = loading.put.get(timeout=30)
    loading.loader.reopened()
    loading.rooms.join(1)
    assert isinstance(before, Loaded) and loading.loader.take(before) is None
    assert loading.loaded() == [work]
    head = loading.heads.get(key)
    assert head is not None and head.state.seq == 2


def test_why_a_room_could_not_be_read_is_told(loading: Loading) -> None:
    loading.rooms.engine.dispose()
    loading.database.forget()
    loading.rooms.path.rename(loading.rooms.path.with_suffix(".away"))
    loading.rooms.path.write_text("my diary " * 1000)
    loading.loader.load(loading.rooms.keys[1])
    item = loading.put.get(timeout=30)
    assert isinstance(item, Loaded) and isinstance(item.error, DatabaseError)


def test_only_the_thread_that_reads_beside_the_writer_pauses(rooms: Rooms) -> None:
    """A transaction that reads a head which is not kept any more has everybody wait."""
    rooms.make()
    rooms.join(1, 2 * UNHURRIED)
    (key,) = rooms.keys.values()
    with rooms.engine.begin() as conn:
        batch = Batch(conn, Heads())
        assert pauses(lambda: batch.begin([key], keeps_books=False, rewrites=False)) == 0
        assert batch.heads[key] == load_head(conn, key)
        assert pauses(lambda: load_head(conn, key)) == 2


def pauses(do: Callable[[], object]) -> int:
    """How often this thread pauses meanwhile."""
    paused = 0

    def count(frame: object, event: str, arg: object) -> None:
        nonlocal paused
        paused += event == "c_call" and arg is time.sleep

    sys.setprofile(count)
    try:
        do()
    finally:
        sys.setprofile(None)
    return paused
