"""What a transaction that stays open somewhere on a PostgreSQL server does not keep from others."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError

from shiny_labchat.callbacks.cursors import Cursor, advance, register
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.scope import Scope
from shiny_labchat.store import Log, parse
from shiny_labchat.store.choosing import place_of
from shiny_labchat.store.heads import Heads
from shiny_labchat.store.hearing import Hearing
from shiny_labchat.store.queries import append_events, insert_events, insert_room
from shiny_labchat.store.who import Asked, asked
from tests.support.postgres import PostgresServer


@pytest.fixture
def writers(postgres: PostgresServer) -> Iterator[list[sa.Engine]]:
    """The writers' connections of two processes to a new database."""
    name = f"lab_{secrets.token_hex(6)}"
    place = place_of(parse(postgres.make(name)))
    made = [place.connect(write=True) for _ in range(2)]
    yield made
    for each in made:
        each.dispose()
    postgres.drop(name)


@pytest.fixture
def reader(writers: list[sa.Engine]) -> Iterator[sa.Engine]:
    engine = place_of(writers[0].url).connect(write=False)
    yield engine
    engine.dispose()


@pytest.fixture
def open_elsewhere(postgres: PostgresServer) -> Iterator[None]:
    """A transaction of another program that writes to another database, and does not end."""
    with psycopg.connect(postgres.url("postgres")) as conn:
        conn.execute("SELECT pg_current_xact_id()")
        yield


def append(conn: sa.Connection, number: int, seq: int, kind: str, data: str = "{}") -> None:
    insert_events(conn, [(number, seq, 0, kind, "p", data, "p", None)])
    assert append_events(conn, [], [(number, seq - 1, seq)])


@pytest.mark.usefixtures("open_elsewhere")
def test_who_has_asked_to_be_deleted_is_known_at_once(
    writers: list[sa.Engine], reader: sa.Engine
) -> None:
    with writers[0].begin() as conn:
        number = insert_room(conn, LogKey("s", "s", "study"))
        append(conn, number, 1, "arrived")
    with reader.begin() as conn:
        known = asked(conn, Asked())
    assert known.studies == []
    with writers[0].begin() as conn:
        append(conn, number, 2, "ended", '{"delete":true}')
    with reader.begin() as conn:
        known = asked(conn, known)
        assert known.studies == ["s"]
        assert asked(conn, known).studies == []


@pytest.mark.usefixtures("open_elsewhere")
def test_that_others_have_written_something_is_heard_at_once(
    writers: list[sa.Engine], reader: sa.Engine
) -> None:
    hearing = Hearing(Heads())
    with reader.begin() as conn:
        hearing.hear(conn, ())
    with reader.begin() as conn:
        assert not hearing.hear(conn, ()).is_moved
    with writers[0].begin() as conn:
        conn.exec_driver_sql("INSERT INTO boot (id, began) VALUES ('b', 1)")
    with reader.begin() as conn:
        assert hearing.hear(conn, ()).is_moved


def test_a_room_that_is_being_made_while_a_callback_is_registered_is_not_left_out(
    writers: list[sa.Engine],
) -> None:
    """Its number may be smaller than those of rooms that are there already."""
    early, late, scope = LogKey("s", "early"), LogKey("s", "late"), Scope(("*",))
    with writers[0].connect() as slow, writers[1].connect() as fast:
        fast.exec_driver_sql("SET lock_timeout = '0.2s'")
        fast.commit()
        with slow.begin():
            number = insert_room(slow, early)
            with fast.begin():
                insert_room(fast, late)
            with suppress(OperationalError), fast.begin():  # it waits for those that are made
                register(fast, "c", scope)
        with slow.begin():
            since = register(slow, "c", scope)
            append(slow, number, 1, "message")
            assert advance(slow, 0, Cursor("c", since, early, "me")) is not None


async def test_what_is_submitted_does_not_wait_while_the_tables_are_written_anew(
    writers: list[sa.Engine], postgres: PostgresServer
) -> None:
    """The server process that does it is stopped in the middle: it never ends."""
    log = Log(writers[0].url)
    name = writers[0].url.database or ""
    is_cleaning = "state = 'active' AND wait_event_type = 'Lock' AND query LIKE 'VACUUM%'"
    look = f"SELECT pid FROM pg_stat_activity WHERE {is_cleaning}"
    try:
        with psycopg.connect(postgres.url(name)) as conn:
            conn.execute("LOCK TABLE anonymous_id IN ACCESS SHARE MODE")  # so that it waits a bit
            pids: list[tuple[int]] = []
            cleaned = log.clean()
            while not pids:
                cleaned = log.clean() if cleaned.done() else cleaned
                while not (pids or cleaned.done()):
                    pids = await asyncio.to_thread(postgres.execute, look)
            os.kill(pids[0][0], signal.SIGSTOP)
        try:
            async with asyncio.timeout(30):
                await log.write(lambda conn, now: None)
            assert not cleaned.done()
        finally:
            os.kill(pids[0][0], signal.SIGCONT)
        await cleaned
    finally:
        await asyncio.to_thread(log.close)
