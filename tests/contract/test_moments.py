"""Functions that are called at moments of rooms' times."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import sqlalchemy as sa

from shiny_labchat import Lab, Room, Rules
from shiny_labchat.domain.events import Event
from shiny_labchat.lab.importing import import_export
from shiny_labchat.lab.runtime import running
from shiny_labchat.store import events_after, find_room
from tests.support.backend import FreshUrl

PATIENCE = 60


@pytest.fixture
def other(fresh_url: FreshUrl) -> Iterator[Lab]:
    """Another lab."""
    lab = Lab(fresh_url())
    yield lab
    lab.log.close()


@pytest.fixture
async def at_work() -> AsyncIterator[None]:
    """Functions are called in this process until the test ends."""
    async with running():
        yield


async def events_of(room: Room, kind: str) -> list[Event]:
    def read(conn: sa.Connection) -> list[Event]:
        found = find_room(conn, room.key)
        return [] if found is None else events_after(conn, found[0], 0, kinds=(kind,))

    return await room.log.read(read)


async def until_said(room: Room, number: int) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        while len(said := await room.messages()) < number:
            await asyncio.wait([room.log.settled()])
    return [message.content for message in said]


async def until_triggered(room: Room, number: int) -> list[str]:
    async with asyncio.timeout(PATIENCE):
        while len(found := await events_of(room, "triggered")) < number:
            await asyncio.wait([room.log.settled()])
    return [event.data["name"] for event in found]


async def test_a_function_is_called_at_its_moments(lab: Lab, at_work: None) -> None:
    @lab.at("r*", after=0)
    @lab.at("r*", after=0.5)
    async def greet(room: Room) -> None:
        await room.post(f"Hello, {room.id}.")

    room, other = [await lab.create_room(id, study="s") for id in ("r1", "other")]
    assert await until_said(room, 2) == ["Hello, r1."] * 2
    assert await until_triggered(room, 2) == ["at 0", "at 0.5"]
    assert await other.messages() == [] == await events_of(other, "triggered")


async def test_a_function_that_is_not_async_is_called_with_the_rooms_condition(
    lab: Lab, at_work: None
) -> None:
    called: list[tuple[str, Any]] = []

    @lab.at(after=0)
    def note(room: Room) -> None:
        called.append((room.id, room.condition))

    room = await lab.create_room("r", study="s")
    await until_triggered(room, 1)
    async with asyncio.timeout(PATIENCE):
        while not called:
            await asyncio.wait([room.log.settled()])
    assert called == [("r", None)]


async def test_what_a_function_has_posted_before_it_failed_is_there_once(
    lab: Lab, at_work: None
) -> None:
    tries: list[int] = []

    @lab.at(before_close=60, name="closing")
    async def remind(room: Room) -> None:
        await room.post("One minute is left.")
        tries.append(len(tries))
        if len(tries) < 2:
            raise RuntimeError("it cannot yet")
        await room.post("Hurry.")

    room = lab.room("r", study="s", rules=Rules(duration=60, starts="code"))
    await room.start()
    assert await until_said(room, 2) == ["One minute is left.", "Hurry."]
    assert tries == [0, 1]
    for message in await room.messages():
        assert message.id == f"m{message.seq}", "browsers are not told the function's name"


async def test_a_moment_waits_until_the_app_starts_the_time(lab: Lab, at_work: None) -> None:
    @lab.at(after=0, name="greet")
    async def greet(room: Room) -> None:
        await room.post("Go!")

    room = await lab.create_room("r", study="s", rules=Rules(duration=60, starts="code"))
    early = await lab.create_room("early", study="s")
    assert await until_said(early, 1) == ["Go!"], "by now the other would have been called, too"
    assert await room.messages() == []
    await room.start()
    assert await until_said(room, 1) == ["Go!"]


async def test_nothing_is_called_in_a_room_that_was_imported(
    lab: Lab, other: Lab, tmp_path: Path, at_work: None
) -> None:
    old = await lab.create_room("old", study="s")
    await old.post("It was long ago.")
    await lab.export(tmp_path / "out", study="s")

    @other.at(after=0, name="greet")
    async def greet(room: Room) -> None:
        await room.post("Go!")

    first = await other.create_room("first", study="t")
    await until_said(first, 1)
    await import_export(other.log, tmp_path / "out")
    second = await other.create_room("second", study="t")
    await until_said(second, 1)
    copy = other.room("old", study="s")
    assert [message.content for message in await copy.messages()] == ["It was long ago."]
    assert await events_of(copy, "triggered") == []


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, "either after=, or before_close="),
        ({"after": 1, "before_close": 1}, "either after=, or before_close="),
        ({"after": -1}, "after must be at least 0"),
        ({"before_close": "60"}, "before_close must be a number"),
    ],
)
def test_one_time_has_to_be_given(lab: Lab, given: Any, words: str) -> None:
    with pytest.raises((TypeError, ValueError), match=words):
        lab.at(**given)


def test_the_function_takes_the_room(lab: Lab) -> None:
    with pytest.raises(TypeError, match="takes \\(room\\)"):
        lab.at(after=1)(cast(Any, lambda: None))
