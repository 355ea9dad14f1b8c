"""The time by which leases are measured: it is all processes', and no clock's."""

from __future__ import annotations

import time

import pytest
import sqlalchemy as sa

from shiny_labchat.store.leases import lease_time
from shiny_labchat.store.schema import boot
from shiny_labchat.store.sqlite import connect, note_boot, parse, transaction

from .conftest import Rooms

DAY = 86_400 * 10**6
SECOND = 10**6
"""In microseconds."""


def process(rooms: Rooms) -> sa.Connection:
    """The connection of a new process."""
    return connect(parse(f"sqlite:///{rooms.path}"), write=True).connect()


def start(rooms: Rooms) -> sa.Connection:
    """The connection of a new process, which has written."""
    conn = process(rooms)
    with transaction(conn):
        note_boot(conn)
    return conn


def is_behind_the_clock(conn: sa.Connection, by: int) -> bool:
    """Whether the time is so many microseconds behind the clock's."""
    return abs(time.time_ns() // 1000 - lease_time(conn) - by) < SECOND


def test_it_is_a_time_since_1970(rooms: Rooms) -> None:
    assert is_behind_the_clock(process(rooms), 0)
    assert is_behind_the_clock(start(rooms), 0)


@pytest.mark.parametrize("by", [DAY, -DAY])
def test_when_the_clock_was_set_it_goes_on_for_all_processes(rooms: Rooms, by: int) -> None:
    conn = start(rooms)
    with transaction(conn):  # a clock that was set forward since: it showed less at the start
        conn.execute(sa.update(boot).values(began=boot.c.began - by))
    assert is_behind_the_clock(conn, by)
    assert is_behind_the_clock(start(rooms), by)


def test_another_start_of_the_machine_takes_the_place_of_the_last(rooms: Rooms) -> None:
    conn = start(rooms)
    with transaction(conn):
        conn.execute(sa.update(boot).values(id="an earlier start", began=0))
    assert is_behind_the_clock(start(rooms), 0)
    with transaction(conn):
        assert conn.execute(sa.select(sa.func.count()).select_from(boot)).scalar_one() == 1


def test_what_is_undone_is_noted_by_the_next(rooms: Rooms) -> None:
    conn = process(rooms)
    with pytest.raises(ZeroDivisionError), transaction(conn):
        note_boot(conn)
        raise ZeroDivisionError
    with transaction(conn):
        assert conn.execute(sa.select(boot)).all() == []
    start(rooms)
    with transaction(conn):
        assert len(conn.execute(sa.select(boot)).all()) == 1
