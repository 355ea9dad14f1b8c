"""Which bots are in a room, and what looking for them costs."""

from __future__ import annotations

from typing import Any, ClassVar

import pytest

from shiny_labchat import Bot
from shiny_labchat.domain.events import LogKey
from shiny_labchat.domain.scope import Scope
from shiny_labchat.lab.bot_registry import BotRegistry

HERE, THERE = LogKey("s", "r"), LogKey("t", "r")


def bot(id: str) -> Any:
    return Bot(id, respond=lambda messages: None)


@pytest.mark.parametrize(
    ("scopes", "there"),
    [
        ([("*",), ("r",)], 1),
        ([("r",), ("*",)], 1),
        ([(HERE,), ("*",)], 0),
        ([(THERE,), ("*",)], 1),
        ([("r*",), ("x*",), ("x",)], 0),
        ([("*",), ("r", "q"), ("*",)], 1),
    ],
    ids=str,
)
def test_of_several_with_one_id_that_for_the_room_alone_is_there_else_the_latest(
    scopes: list[tuple[str | LogKey, ...]], there: int
) -> None:
    registry = BotRegistry()
    bots = [bot("b") for _ in scopes]
    for parts, each in zip(scopes, bots, strict=True):
        registry.add(Scope(parts), each)
    other = bot("other")
    registry.add(Scope(("r",)), other)
    assert set(registry.of_room(HERE)) == {bots[there], other}


def test_one_that_is_added_again_takes_the_place_of_the_first() -> None:
    registry, bots = BotRegistry(), [bot("b") for _ in range(3)]
    registry.add(Scope(("*",)), bots[0])
    registry.add(Scope(("r",)), bots[1])
    registry.add(Scope(("*",)), bots[2])
    assert registry.of_room(HERE) == [bots[1]]
    assert registry.of_room(LogKey("s", "other")) == [bots[2]]


class Watched(Scope):
    """A scope that notes that somebody asks what it covers."""

    looked: ClassVar[list[Scope]] = []

    def covers(self, room: LogKey) -> bool:
        self.looked.append(self)
        return super().covers(room)


def test_the_bots_of_other_rooms_are_not_looked_at() -> None:
    registry = BotRegistry()
    for n in range(1_000):
        registry.add(Watched((LogKey("s", f"r{n}"),)), bot(f"b{n}"))
    assert [each.id for each in registry.of_room(LogKey("s", "r7"))] == ["b7"]
    assert len(Watched.looked) == 1
