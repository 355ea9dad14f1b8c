"""Hearing other processes costs what has changed, and loses nothing."""

from __future__ import annotations

import re
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from shiny_labchat.domain.events import LogKey
from shiny_labchat.store.engine import EVER
from shiny_labchat.store.heads import Heads, load_head
from shiny_labchat.store.hearing import Heard, Hearing
from shiny_labchat.store.sqlite import rooms_moved

from .conftest import Rooms, asked_of


class Listener:
    """
    A process that hears of all rooms.

    Parameters
    ----------
    rooms
        The database.
    """

    def __init__(self, rooms: Rooms) -> None:
        self.rooms = rooms
        self.heads = Heads()
        self.hearing = Hearing(self.heads)

    def hear(self) -> dict[LogKey, list[int]]:
        """The seqs that are heard; none of a room that was not known, which is read."""
        with self.rooms.engine.begin() as conn:
            heard = self.hearing.hear(conn, set(self.rooms.keys.values()))
        with self.rooms.engine.begin() as conn:
            for key in heard.unknown:
                head = load_head(conn, key)
                assert head is not None
                self.heads.keep(key, head)
        for each in heard.news:
            head = self.heads.get(each.log)
            assert head is not None and head.state == each.state
        return {
            **{key: [] for key in heard.unknown},
            **{each.log: [event.seq for event in each.events] for each in heard.news},
        }

    def open(self, rooms: Rooms) -> None:
        """Go on with a database that was opened again."""
        self.rooms = rooms
        with rooms.engine.begin() as conn:
            self.hearing.open(conn)


@pytest.mark.parametrize("idle", [0, 300])
def test_a_look_costs_what_has_moved_however_many_rooms_are_idle(rooms: Rooms, idle: int) -> None:
    moved, *_ = rooms.make(1 + idle)
    listener = Listener(rooms)
    listener.hear()
    with asked_of(rooms.engine) as asked:
        assert listener.hear() == {}
    assert _reads(asked) == ["room"]
    rooms.join(1, 3)
    with asked_of(rooms.engine) as asked:
        assert listener.hear() == {moved: [2, 3, 4]}
    assert _reads(asked) == ["room", "event"]


def _reads(asked: list[str]) -> list[str]:
    """The tables that statements read."""
    return re.findall(r"FROM (\w+)", " ".join(asked))


def test_a_look_reads_no_room_that_has_not_moved(rooms: Rooms) -> None:
    rooms.make(2)
    with asked_of(rooms.engine) as asked, rooms.engine.begin() as conn:
        _, until = rooms_moved(conn, EVER)
    with rooms.engine.begin() as conn:
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1]}", (until,)).fetchall()
    assert [row[-1] for row in plan] == ["SEARCH room USING INDEX room_touched (touched>?)"]


def test_a_room_that_nobody_wants_to_hear_of_is_not_read(rooms: Rooms) -> None:
    rooms.make(2)
    with asked_of(rooms.engine) as asked, rooms.engine.begin() as conn:
        assert Hearing(Heads()).hear(conn, ()) == Heard([], [], True, True)
    assert not [each for each in asked if "FROM event" in each]


def test_only_rooms_in_which_others_have_stored_something_are_behind(rooms: Rooms) -> None:
    one, other, *_ = rooms.make(3)
    listener = Listener(rooms)
    assert _are_behind(listener, one)  # nothing is known yet
    listener.hear()
    assert not _are_behind(listener, one, other)
    rooms.join(1)
    assert _are_behind(listener, one, other)
    assert not _are_behind(listener, other)
    listener.hear()
    assert not _are_behind(listener, one, other)


def _are_behind(listener: Listener, *keys: LogKey) -> bool:
    with listener.rooms.engine.begin() as conn:
        return listener.hearing.are_behind(conn, keys)


def test_what_an_older_version_writes_is_heard(rooms: Rooms) -> None:
    """It had the database open before the migration, and moves heads without more ado."""
    (key,) = rooms.make()
    listener = Listener(rooms)
    listener.hear()
    with rooms.engine.begin() as conn:
        conn.exec_driver_sql("INSERT INTO event VALUES (1, 2, 0, 'recorded', NULL, '{}', '', NULL)")
        conn.exec_driver_sql("UPDATE room SET seq = 2 WHERE key = 1 AND seq = 1")
    assert listener.hear() == {key: [2]}


@given(st.lists(st.integers(1, 4) | st.none(), max_size=25))
def test_whenever_one_looks_nothing_is_missed_and_nothing_is_heard_twice(
    empty_database: Path, steps: list[int | None]
) -> None:
    """A number: a member joins that room; None: a look."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(empty_database, path := Path(folder) / "lab.db")
        rooms = Rooms(path)
        keys = rooms.make(4)
        listener = Listener(rooms)
        listener.hear()
        heard: dict[LogKey, list[int]] = {key: [1] for key in keys}
        for step in (*steps, None):
            if step is not None:
                rooms.join(step)
                continue
            for key, seqs in listener.hear().items():
                heard[key] += seqs
        rooms.engine.dispose()
    ends = {rooms.keys[number]: head for number, head in rooms.heads.items()}
    assert heard == {key: list(range(1, ends[key] + 1)) for key in keys}


def test_of_a_look_that_the_database_fails_nothing_counts_as_heard(
    rooms: Rooms, listener: Listener
) -> None:
    """It fails after the first of two rooms was read."""
    rooms.join(1)
    rooms.join(2)
    read: list[str] = []
    stops = iter([True])

    def interrupt(conn: object, cursor: sqlite3.Cursor, statement: str, *_: object) -> None:
        if "FROM event" in statement:
            read.append(statement)
        if len(read) == 2:
            cursor.connection.set_progress_handler(lambda: next(stops, False), 1)

    event.listen(rooms.engine, "before_cursor_execute", interrupt)
    with pytest.raises(OperationalError):
        listener.hear()
    event.remove(rooms.engine, "before_cursor_execute", interrupt)
    assert listener.hear() == {rooms.keys[1]: [2], rooms.keys[2]: [2]}


# ── a database that is opened again ──


@pytest.fixture
def listener(rooms: Rooms) -> Listener:
    """Knows everything of a database."""
    rooms.make(3)
    listener = Listener(rooms)
    listener.hear()
    return listener


def test_in_the_same_database_nothing_is_read_again(rooms: Rooms, listener: Listener) -> None:
    rooms.join(2)
    listener.open(rooms)
    assert listener.hear() == {rooms.keys[2]: [2]}


def test_of_another_database_nothing_is_known(
    rooms: Rooms, listener: Listener, new_rooms: Callable[[], Rooms]
) -> None:
    other = new_rooms()
    other.make(3)
    other.join(3, 5)
    listener.open(other)
    assert listener.heads.get(rooms.keys[1]) is None
    assert listener.hear() == {key: [] for key in other.keys.values()}


def test_an_older_copy_is_another_database(
    rooms: Rooms, listener: Listener, tmp_path: Path
) -> None:
    with sqlite3.connect(rooms.path) as conn:
        conn.execute(f"VACUUM INTO '{tmp_path / 'older.db'}'")
    conn.close()
    rooms.join(3)
    listener.hear()
    older = Rooms(tmp_path / "older.db")
    older.keys = rooms.keys
    listener.open(older)
    assert listener.heads.get(rooms.keys[3]) is None
    assert listener.hear() == {key: [] for key in rooms.keys.values()}
    older.engine.dispose()


def test_what_was_stored_while_a_room_was_read_is_heard_when_it_is_looked_at_again(
    rooms: Rooms,
) -> None:
    (key,) = rooms.make(1)
    heads = Heads()
    hearing = Hearing(heads)
    with rooms.engine.begin() as conn:
        assert hearing.hear(conn, {key}).unknown == [key]
        read = load_head(conn, key)
    rooms.join(*rooms.keys)
    with rooms.engine.begin() as conn:
        assert hearing.hear(conn, {key}).unknown == [key]
    assert read is not None
    heads.keep(key, read)
    hearing.hear_again(key)
    with rooms.engine.begin() as conn:
        (news,) = hearing.hear(conn, {key}).news
        assert [event.seq for event in news.events] == [2]
        assert hearing.hear(conn, {key}).news == []
