"""Rows in all tables of a database, and all of them read again."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from shiny_labchat import Lab
from shiny_labchat.store import parse
from shiny_labchat.store.choosing import engine_of, place_of
from shiny_labchat.store.leases import lease_time
from shiny_labchat.store.schema import boot, metadata, room, seen
from tests.support.sample_study import NASTY, make_study

__all__ = ["Rows", "fill_tables", "rows_of"]

Rows = dict[str, list[tuple[Any, ...]]]
"""By table, its rows in the order of their primary key."""


async def fill_tables(lab: Lab) -> None:
    """Make a study, and at least one row in each table."""
    await make_study(lab)
    await lab.log.write(lambda conn, now: _fill(conn))


def _fill(conn: sa.Connection) -> None:
    number = conn.execute(sa.select(sa.func.max(room.c.key))).scalar_one()
    for table in metadata.sorted_tables:
        if table is not boot:
            row = [_value(conn, column, number) for column in table.c]
            engine_of(conn).insert(conn, table, [row], "ON CONFLICT DO NOTHING")


def _value(conn: sa.Connection, column: sa.Column[Any], number: int) -> Any:
    """A value of which no other row of the table has one."""
    if column.name == "until" or column.table is seen and isinstance(column.type, sa.BigInteger):
        return lease_time(conn)
    if column.foreign_keys:
        return number
    match column.type:
        case sa.Boolean():
            return True
        case sa.Integer():
            return 2_000_000_007 if column.name in ("key", "since", "tries") else 2**62
        case sa.Float():
            return 0.1 + 0.2
        case _:
            return f"{column.name} {NASTY} \uffff \U0010ffff it's 100 %s"


def rows_of(url: str) -> Rows:
    """All rows that a database has, but for those about its own machine, and its own counter."""
    engine = place_of(parse(url)).connect(write=False)
    try:
        with engine.begin() as conn:
            return {
                table.name: [tuple(row) for row in conn.execute(_all_of(table))]
                for table in metadata.sorted_tables
                if table is not boot
            }
    finally:
        engine.dispose()


def _all_of(table: sa.Table) -> sa.Select[Any]:
    columns = [column for column in table.c if column is not room.c.touched]
    return sa.select(*columns).order_by(*table.primary_key.columns)
