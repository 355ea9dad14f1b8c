"""Which callbacks are for a room, and what is warned of."""

from __future__ import annotations

import pytest

from shiny_labchat.callbacks.registry import REGISTERED, Registry
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.scope import Scope


def one(room: object, member: object, message: object) -> None: ...


def two(room: object, member: object, message: object) -> None: ...


HERE, THERE = LogKey("s", "r"), LogKey("t", "r")


@pytest.mark.parametrize(
    ("scopes", "called"),
    [
        ([("*",), ("r",)], 1),
        ([("r",), ("*",)], 1),
        ([("r",), ("x", "r")], 1),
        ([(HERE,), ("*",)], 0),
        ([(HERE, THERE), (THERE,)], 0),
        ([("r*",), ("x*",), ("x",)], 0),
    ],
    ids=str,
)
def test_of_several_of_one_name_that_for_the_room_alone_is_called_else_the_latest(
    scopes: list[tuple[str | LogKey, ...]], called: int
) -> None:
    registry = Registry()
    added = [registry.add("name", Scope(parts), one) for parts in scopes]
    registry.add("other", Scope(("y",)), one)
    assert registry.of_room(HERE) == {"name": added[called]}
    assert [each.name for each in registry] == ["name"] * len(scopes) + ["other"]


@pytest.mark.parametrize(
    ("before", "after", "fn", "warnings"),
    [
        (("*",), ("*",), two, 1),
        (("*",), ("*",), one, 0),
        (("*",), ("r",), two, 1),
        (("*",), ("r",), one, 0),
        (("r", "s"), ("r", "s", "t"), two, 1),
        (("r",), ("s",), two, 0),
        (("*",), (HERE,), two, 0),
        ((HERE,), (THERE,), two, 0),
    ],
    ids=str,
)
def test_a_function_that_takes_anothers_place_in_some_rooms_is_warned_of_once(
    before: tuple[str | LogKey, ...],
    after: tuple[str | LogKey, ...],
    fn: object,
    warnings: int,
    caplog: pytest.LogCaptureFixture,
) -> None:
    registry = Registry()
    registry.add("name", Scope(before), one)
    registry.add("name", Scope(after), two if fn is two else one)
    assert caplog.text.count("takes the place of") == warnings


def test_a_scope_knows_the_ids_of_its_rooms_unless_it_has_globs() -> None:
    assert Scope(("a", HERE, THERE)).ids == {"a", "r"}
    assert Scope(("a", "b*")).ids is None


def test_very_many_callbacks_are_warned_of_once(caplog: pytest.LogCaptureFixture) -> None:
    registry = Registry()
    for n in range(REGISTERED + 50):
        registry.add("name", Scope((LogKey("s", f"r{n}"),)), one)
    assert caplog.text.count("register one for all such rooms") == 1
    assert set(registry.of_room(LogKey("s", "r7"))) == {"name"}
