"""All rows of a database, copied to another one and compared with it."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from itertools import zip_longest
from typing import Any

import sqlalchemy as sa

from shiny_labchat.domain.presence import Signs
from shiny_labchat.errors import StoreError
from shiny_labchat.store.choosing import engine_of
from shiny_labchat.store.leases import lease_time
from shiny_labchat.store.schema import boot, callback_room, metadata, open_stream, seen

__all__ = ["OWN", "Shift", "compare", "copy", "count", "filled", "shift_between"]

ROWS_AT_ONCE = 500
"""How many rows are read at once."""
OWN = frozenset({boot.name})
"""The tables that are about a machine, so that each database has its own rows in them."""

Progress = Callable[[int, int], None]
"""Is told how many rows are done, and of how many."""
_Row = tuple[Any, ...]
Shift = int
"""
By how much the time of leases is later in the new database, in microseconds.

One is the clock of a server, the other counts from the start of a machine. Without this somebody
whose pages were last heard long ago could seem to be there for as long as the two differ.
"""


def shift_between(source: sa.Connection, target: sa.Connection) -> Shift:
    """By how much the time of leases is later in the second of two databases."""
    return lease_time(target) - lease_time(source)


def count(conn: sa.Connection) -> int:
    """How many rows there are to move."""
    counts = (sa.select(sa.func.count()).select_from(table) for table in _tables())
    return sum(conn.execute(each).scalar_one() for each in counts)


def filled(conn: sa.Connection) -> list[str]:
    """The tables that have rows."""
    return [
        table.name
        for table in _tables()
        if conn.execute(sa.select(sa.exists(sa.select(1).select_from(table)))).scalar_one()
    ]


def copy(
    source: sa.Connection, target: sa.Connection, shift: Shift, total: int, tell: Progress
) -> None:
    """Insert all rows of a database into an empty one."""
    done = 0
    for table in _tables():
        with closing(_moved(source, table, shift)) as found:
            for rows in found:
                engine_of(target).insert(target, table, rows)
                done += len(rows)
                tell(done, total)


def compare(
    source: sa.Connection, target: sa.Connection, shift: Shift, total: int, tell: Progress
) -> None:
    """
    Read all rows of both databases, and compare each with its copy.

    Raises
    ------
    StoreError
        One of them is missing, is another one, or is too many.
    """
    done = 0
    for table in _tables():
        with (
            closing(_moved(source, table, shift)) as moved,
            closing(_stored(target, table)) as stored,
        ):
            for rows, copies in zip_longest(moved, stored, fillvalue=()):
                if rows != copies:
                    url = target.engine.url.render_as_string()
                    why = f"the copy has other rows in the table {table.name!r}; none were kept"
                    raise StoreError("store_broken", url, why)
                done += len(rows)
                tell(done, total)


def _tables() -> list[sa.Table]:
    """Those to move; each comes after those that it refers to."""
    return [table for table in metadata.sorted_tables if table.name not in OWN]


def _stored(conn: sa.Connection, table: sa.Table) -> Generator[list[_Row]]:
    """The rows of a table in the order of its primary key, some at once."""
    options = {"yield_per": ROWS_AT_ONCE}
    found = sa.select(table).order_by(*table.primary_key.columns)
    with conn.execute(found, execution_options=options) as result:
        for some in result.partitions():
            yield [tuple(row) for row in some]


def _moved(conn: sa.Connection, table: sa.Table, shift: Shift) -> Generator[list[_Row]]:
    """The rows of a table as they are to be in the other database."""
    move = _SHIFTED.get(table.name)
    with closing(_stored(conn, table)) as stored:
        for rows in stored:
            yield rows if move is None else [move(row, shift) for row in rows]


def _of_person(row: _Row, shift: Shift) -> _Row:
    study, person, *signs = row
    return study, person, *Signs(*signs).moved(shift)


def _with_until(table: sa.Table) -> Callable[[_Row, Shift], _Row]:
    place = table.c.keys().index("until")

    def move(row: _Row, shift: Shift) -> _Row:
        until = row[place]
        return row if until is None else (*row[:place], until + shift, *row[place + 1 :])

    return move


_SHIFTED: dict[str, Callable[[_Row, Shift], _Row]] = {
    seen.name: _of_person,
    open_stream.name: _with_until(open_stream),
    callback_room.name: _with_until(callback_room),
}
"""How rows move in which there are times of leases."""
