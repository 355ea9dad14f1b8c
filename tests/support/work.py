"""What an operation costs, counted: events that were read, and commits."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

import sqlalchemy as sa
from sqlalchemy import event as sa_event

from shiny_labchat.store import queries

__all__ = ["counted"]

CHANGES = "tests: changed rows"
WRITES = ("INSERT", "UPDATE", "DELETE")


@contextmanager
def counted() -> Generator[Counter[str]]:
    """
    Count the work that all databases of this process do inside the block.

    Yields
    ------
    Counter
        "events": rows of the log that became events; "commits": transactions that changed
        something.
    """
    work: Counter[str] = Counter()
    before: dict[int, int] = {}
    event_of = queries.event_of

    def count_event(row: Any) -> Any:
        work["events"] += 1
        return event_of(row)

    def begin(conn: sa.Connection) -> None:
        before[id(conn)] = _changes(conn)

    def count_changes(
        conn: sa.Connection, cursor: Any, statement: str, parameters: object, *_: object
    ) -> None:
        if statement.startswith(WRITES) and cursor.rowcount > 0:
            conn.info[CHANGES] = conn.info.get(CHANGES, 0) + cursor.rowcount

    def count_commit(conn: sa.Connection) -> None:
        work["commits"] += _changes(conn) > before.get(id(conn), 0)

    queries.event_of = count_event
    sa_event.listen(sa.Engine, "begin", begin)
    sa_event.listen(sa.Engine, "after_cursor_execute", count_changes)
    sa_event.listen(sa.Engine, "commit", count_commit)
    try:
        yield work
    finally:
        queries.event_of = event_of
        sa_event.remove(sa.Engine, "begin", begin)
        sa_event.remove(sa.Engine, "after_cursor_execute", count_changes)
        sa_event.remove(sa.Engine, "commit", count_commit)


def _changes(conn: sa.Connection) -> int:
    """How many rows a connection has changed so far; those of SQLite also without SQLAlchemy."""
    if conn.dialect.name != "sqlite":
        return conn.info.get(CHANGES, 0)
    return cast(sqlite3.Connection, conn.connection.driver_connection).total_changes
