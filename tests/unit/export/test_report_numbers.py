"""What a report counts of the rows of an export."""

from __future__ import annotations

from typing import Any

from shiny_labchat.export.columns import columns_of
from shiny_labchat.export.format import Table
from shiny_labchat.report.numbers import Collector


def member(**given: Any) -> list[Any]:
    """A row of the table of members."""
    row = {column.name: None for column in columns_of("members")}
    return list((row | {"member": "a", "kind_true": "human"} | given).values())


def test_a_wait_is_counted_once_whatever_rooms_follow_it() -> None:
    collector = Collector()
    sink = collector.open(Table("members", columns_of("members")))
    assert sink is not None
    first = {"lobby": "l", "lobby_at": 1, "wait_s": 5.0}
    sink.write([member(room="one", **first), member(room="two", **first)])
    sink.write([member(room="three", lobby="l", lobby_at=9, wait_s=5.0)])
    sink.write([member(room="one", **first | {"member": "b", "wait_s": 7.0})])
    assert collector.numbers.waits == [5.0, 5.0, 7.0]
