"""The heads in memory are bounded by their size, however large the rooms are."""

from __future__ import annotations

import tracemalloc

import pytest

from shiny_labchat.domain.events import Event, LogKey
from shiny_labchat.domain.logs import fold_any
from shiny_labchat.domain.state import RoomState, fold, fold_all
from shiny_labchat.store.heads import HEADS_SIZE, Head, Heads

from .conftest import joined


def head(number: int, members: int) -> Head:
    return Head(number, fold_all(RoomState(), map(joined, range(1, members + 1))))


def key(number: int) -> LogKey:
    return LogKey("s", f"r{number}")


def test_five_thousand_rooms_in_turn_are_all_known() -> None:
    heads = Heads()
    for number in range(5_000):
        heads.keep(key(number), head(number, 5))
    assert all(heads.get(key(number)) is not None for number in range(5_000))


def test_those_used_longest_ago_are_forgotten_when_all_take_too_much() -> None:
    heads = Heads(limit=1_000_000)
    for number in range(200):
        heads.keep(key(number), head(number, 20))
        heads.keep(key(0), head(0, 20))
    known = [number for number in range(200) if heads.get(key(number)) is not None]
    assert known[0] == 0 and known[1:] == list(range(201 - len(known), 200))
    assert 50 < len(known) < 80 and heads.size <= 1_000_000


def test_a_room_that_alone_takes_too_much_is_known_as_long_as_it_is_the_last() -> None:
    heads = Heads(limit=1_000)
    heads.keep(key(1), head(1, 100))
    assert heads.get(key(1)) is not None
    heads.keep(key(2), head(2, 1))
    assert heads.get(key(1)) is None and heads.get(key(2)) is not None


def test_a_room_that_changes_is_counted_once() -> None:
    heads = Heads()
    state = RoomState()
    for seq in range(1, 300):
        state = fold(state, joined(seq))
        heads.keep(key(1), Head(1, state))
    once = Heads()
    once.keep(key(1), head(1, 299))
    assert heads.size == once.size
    heads.clear()
    assert heads.size == 0


@pytest.mark.parametrize("members", [0, 5, 2_000])
def test_the_size_is_about_what_the_heads_take(members: int) -> None:
    count = max(2, 2_000 // (members + 1))
    heads = Heads()
    tracemalloc.start()
    for number in range(count):
        event = Event(members + 1, 0, "configured", None, {"seed": f"{number:032}"})
        heads.keep(key(number), Head(number, fold_any(head(number, members).state, event)))
    taken, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert heads.size < HEADS_SIZE and taken / 2 < heads.size < taken * 4
