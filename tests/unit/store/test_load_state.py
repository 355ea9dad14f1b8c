"""The state of a room is read from the events that make it, however much was said there."""

from __future__ import annotations

from shiny_labchat.domain import state as states
from shiny_labchat.store.queries import load_state

from .conftest import Rooms, asked_of


def test_what_was_said_is_not_read(rooms: Rooms) -> None:
    rooms.make()
    with asked_of(rooms.engine) as asked, rooms.engine.begin() as conn:
        load_state(conn, 1, 1)
    with rooms.engine.begin() as conn:
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-1]}", (1, 1)).fetchall()
    assert [row[-1] for row in plan] == ["SEARCH event USING INDEX event_state (room=? AND seq<?)"]


def test_every_kind_that_makes_state_is_read() -> None:
    """But for messages, which change only how much their author may say now."""
    from shiny_labchat.store.schema import LAST_COUNTS, MAKES_STATE

    read = f"{MAKES_STATE} {LAST_COUNTS}"
    assert [kind for kind in states._FOLDS if f"'{kind}'" not in read] == ["message", "submitted"]


def test_of_presence_only_what_is_last_is_read(rooms: Rooms) -> None:
    rooms.make()
    with asked_of(rooms.engine) as asked, rooms.engine.begin() as conn:
        load_state(conn, 1, 1)
    with rooms.engine.begin() as conn:
        plan = conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[-2]}", (1, 1, 1)).fetchall()
    found = [row[-1] for row in plan]
    of_kinds = "SEARCH event USING COVERING INDEX event_presence (room=? AND kind=? AND seq<?)"
    assert of_kinds in found
    assert "SEARCH event USING PRIMARY KEY (room=? AND seq=?)" in found
