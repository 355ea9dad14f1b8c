"""Databases that fail to store some events, as one does whose disk has an error."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from shiny_labchat.store import parse
from shiny_labchat.store.choosing import is_in_file, place_of

__all__ = ["failing_to_store"]


@contextmanager
def failing_to_store(url: str, kind: str) -> Generator[None]:
    """Have a database fail to store events of a kind inside the block: "disk I/O error"."""
    parsed = parse(url)
    engine = place_of(parsed).connect(write=True)
    begin, end = (_SQLITE if is_in_file(parsed) else _POSTGRESQL).values()
    try:
        with engine.begin() as conn:
            for statement in begin:
                conn.exec_driver_sql(statement.replace("KIND", kind))
        yield
        with engine.begin() as conn:
            for statement in end:
                conn.exec_driver_sql(statement)
    finally:
        engine.dispose()


_SQLITE = {
    "begin": (
        "CREATE TRIGGER failing BEFORE INSERT ON event WHEN NEW.kind = 'KIND'"
        " BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END",
    ),
    "end": ("DROP TRIGGER failing",),
}
_POSTGRESQL = {
    "begin": (
        "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS"
        " 'BEGIN RAISE EXCEPTION ''disk I/O error'' USING ERRCODE = ''23000''; END'",
        "CREATE TRIGGER failing BEFORE INSERT ON event FOR EACH ROW"
        " WHEN (NEW.kind = 'KIND') EXECUTE FUNCTION fail()",
    ),
    "end": ("DROP TRIGGER failing ON event", "DROP FUNCTION fail"),
}
