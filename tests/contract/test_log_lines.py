"""What stands in the server's log of messages: their rooms and numbers, and never their words."""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
import traceback
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room, StoreError
from shiny_labchat.domain.commands import Say
from shiny_labchat.store import Outcome
from shiny_labchat.store.sqlite import execute
from shiny_labchat.store.writer import ROOMS_NAMED
from tests.support.database import rows

pytestmark = pytest.mark.anyio

SECRET = "what-ann-has-said"
NAME = "shiny_labchat"


@pytest.fixture
def refusing(room: Room) -> Iterator[None]:
    """The database refuses all messages that are said from now on."""
    url = room.log.url.render_as_string()
    if url.startswith("sqlite"):
        said = "BEGIN SELECT RAISE(ABORT, 'no more messages'); END"
        rows(url, f"CREATE TRIGGER no BEFORE INSERT ON event WHEN new.kind = 'message' {said}")
        yield
        return
    said = "$$BEGIN RAISE 'no more messages'; END$$"
    rows(url, f"CREATE OR REPLACE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS {said}")
    when = "FOR EACH ROW WHEN (new.kind = 'message') EXECUTE FUNCTION refuse()"
    rows(url, f"CREATE TRIGGER no BEFORE INSERT ON event {when}")
    yield
    rows(url, "DROP TRIGGER no ON event")


async def said(room: Room, text: str, cid: str) -> BaseException | None:
    """Say something as a browser does; gives the error."""
    done: asyncio.Future[BaseException | None] = asyncio.get_running_loop().create_future()

    def tell(outcome: Outcome | None, error: BaseException | None) -> None:
        done.set_result(error)

    room.log.put(room.key, Say("a", text, cid, "page"), tell)
    return await done


async def test_a_message_that_is_stored_is_logged_with_room_and_seq_if_one_asks_for_it(
    room: Room, caplog: pytest.LogCaptureFixture
) -> None:
    await said(room, SECRET, "1")
    assert "stored in" not in caplog.text
    with caplog.at_level(logging.DEBUG, NAME):
        await said(room, SECRET, "2")
        await room.log.settled()
    seq = (await room.messages())[-1].seq
    assert f"stored in room 'r' of study 's': {seq} (message)" in caplog.text
    assert SECRET not in caplog.text


async def test_a_message_that_is_not_stored_is_logged_with_its_room_and_without_its_words(
    room: Room, refusing: None, caplog: pytest.LogCaptureFixture
) -> None:
    error = await said(room, SECRET, "1")
    assert isinstance(error, StoreError)
    assert "a batch of commands (rooms 'r') was not stored" in caplog.text
    assert SECRET not in caplog.text + "".join(traceback.format_exception(error))


def _select(conn: sa.Connection) -> None:
    conn.execute(sa.text("SELECT :word FROM nothing"), {"word": SECRET})


def _select_raw(conn: sa.Connection) -> None:
    if conn.dialect.name == "sqlite":
        execute(conn, "SELECT ? FROM nothing", (SECRET,))
    conn.exec_driver_sql("SELECT %s FROM nothing", (SECRET,))


def _bind_what_cannot_be(conn: sa.Connection) -> None:
    conn.execute(sa.text("SELECT :word, :other"), {"word": SECRET, "other": object()})


@pytest.mark.parametrize("job", [_select, _select_raw, _bind_what_cannot_be])
async def test_an_error_of_the_database_has_no_values(
    room: Room, job: Callable[[sa.Connection], None]
) -> None:
    with pytest.raises(StoreError) as caught:
        await room.log.read(job)
    told = "".join(traceback.format_exception(caught.value))
    assert "Error" in told and SECRET not in told


@pytest.fixture
async def rooms(lab: Lab, room: Room) -> list[Room]:
    """More rooms than one line names."""
    rooms = [await lab.create_room(f"r{n}", study="s") for n in range(ROOMS_NAMED + 2)]
    for each in rooms:
        await each.add_member("a")
    return rooms


async def test_a_line_about_many_rooms_names_some(
    room: Room, rooms: list[Room], caplog: pytest.LogCaptureFixture, sqlite_only: None
) -> None:
    path = room.log.url.database or ""
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = asyncio.ensure_future(said(room, "first", "1"))
        await asyncio.to_thread(int)
        while room.log.waiting:  # until the writer waits for the other one
            await asyncio.to_thread(int)
        later = [asyncio.ensure_future(said(each, SECRET, "2")) for each in rooms]
        await asyncio.to_thread(int)
        os.unlink(path)
    await asyncio.gather(first, *later)
    [line] = {record.getMessage() for record in caplog.records if "batch" in record.message}
    assert "(rooms 'r0', 'r1', " in line and "'r9' and 2 more) was not stored" in line
