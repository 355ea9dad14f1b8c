"""Expired tokens are deleted a few at a time, so that nobody waits for it."""

from __future__ import annotations

import asyncio

import sqlalchemy as sa
from sqlalchemy import event

from shiny_labchat import Lab
from shiny_labchat.store import Grant, issue, look_up
from shiny_labchat.store.schema import token
from shiny_labchat.store.tokens import FORGOTTEN_AT_ONCE

EXPIRED = 3 * FORGOTTEN_AT_ONCE + 1


async def test_expired_tokens_are_deleted_a_few_at_a_time(lab: Lab) -> None:
    deleted: list[int] = [0]

    def count(conn: object, cursor: sa.CursorResult[object], said: str, *rest: object) -> None:
        if said.startswith("DELETE FROM token"):
            deleted[-1] += cursor.rowcount

    def commit(conn: object) -> None:
        if deleted[-1]:
            deleted.append(0)

    def fill(conn: sa.Connection, now: int) -> str:
        rows = [
            {"hash": f"{n}", "kind": "ticket", "member": "a", "expires": now - n - 1}
            for n in range(EXPIRED)
        ]
        conn.execute(sa.insert(token), rows)
        return issue(conn, "ticket", Grant("b"), now)

    event.listen(sa.Engine, "after_cursor_execute", count)
    event.listen(sa.Engine, "commit", commit)
    try:
        valid = await lab.log.write(fill)
        async with asyncio.timeout(30):
            while sum(deleted) < EXPIRED or deleted[-1]:
                await lab.log.settled()  # others' work is done meanwhile
    finally:
        event.remove(sa.Engine, "after_cursor_execute", count)
        event.remove(sa.Engine, "commit", commit)
    assert deleted == [*[FORGOTTEN_AT_ONCE] * 3, 1, 0], "in each transaction"
    assert await lab.log.read(lambda conn: look_up(conn, "ticket", valid)) == Grant("b")
