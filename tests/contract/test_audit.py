"""The record of a bot, however long it is."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from sqlalchemy import event

from shiny_labchat import Lab, Room
from shiny_labchat.audit import entries


async def test_what_a_bot_begins_with_is_found_without_reading_its_record(
    lab: Lab, room: Room
) -> None:
    message = await room.post("Hello", author="a")

    def plans(conn: sa.Connection, now: int) -> list[str]:
        asked: list[tuple[str, Any]] = []

        def note(_: object, __: object, statement: str, values: Any, *___: object) -> None:
            asked.append((statement, values))

        event.listen(conn, "before_cursor_execute", note)
        entries.take_up(conn, room.key, "machine", message.seq, "bot:1")
        event.remove(conn, "before_cursor_execute", note)
        explained = [conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {s}", v).all() for s, v in asked]
        return [step[-1] for steps in explained for step in steps]

    steps = [step for step in await lab.log.write(plans) if "audit" in step]
    assert len(steps) == 3
    assert all("(room=? AND bot=? AND " in step for step in steps), steps
