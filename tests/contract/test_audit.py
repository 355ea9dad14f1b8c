"""The record of a bot, however long it is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from shiny_labchat import Lab, Room
from shiny_labchat.audit import entries
from shiny_labchat.domain.commands import EndStream, Post


async def test_what_a_bot_begins_with_is_found_without_reading_its_record(
    lab: Lab, room: Room, sqlite_only: None
) -> None:
    message = await room.post("Hello", author="a")
    steps = await _steps(lab, room, message.seq)
    read = [step for step in steps if "audit" in step]
    assert len(read) == 3
    assert all("(room=? AND bot=? AND " in step for step in read), read


async def test_a_stream_that_a_bot_begins_with_is_found_without_reading_the_room(
    lab: Lab, room: Room, sqlite_only: None
) -> None:
    opened = await room.submit(Post([], is_live=True))
    seq = opened.events[0].seq
    await room.submit(EndStream(seq, [("text", "Hello")], "done"))
    read = [step for step in await _steps(lab, room, seq) if " event " in step]
    assert len(read) == 3
    assert all("(room=? AND seq=?)" in step or "cid=?)" in step for step in read), read


async def _steps(lab: Lab, room: Room, seq: int) -> list[str]:
    """How the database looks up what a bot needs when it begins with a message."""

    def plans(conn: sa.Connection, now: int) -> list[str]:
        asked: list[tuple[str, Any]] = []

        def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
            asked.append((statement, values))

        event.listen(conn, "before_cursor_execute", note)
        entries.take_up(conn, room.key, "machine", seq, "bot:1")
        event.remove(conn, "before_cursor_execute", note)
        explained = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {s}", v).all() for s, v in asked]
        return [step[-1] for steps in explained for step in steps]

    return await lab.log.write(plans)
