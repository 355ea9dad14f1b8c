"""
How one could find out who is a machine: by what a person in its place could not have done.

A person's browser says that they type again and again while they do; what it says in a room where
they may not write is not passed on, and what was passed on fades (`TYPING_TTL`).
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import pytest

from shiny_labchat import Lab, Room
from shiny_labchat.live.presence import TYPING_TTL
from tests.integration.own_server.conftest import Person
from tests.support.client import Browser

from .bot import AT_ONCE, a_bot, outcomes, settled, until

APP = ["-m", "uvicorn", "tests.integration.apps.bots:app"]
SENTENCE = "word " * 15 + "end"


@pytest.fixture
def room(lab: Lab) -> Room:
    return lab.room("bots", study="tests")


Act = Callable[[Room], Awaitable[None]]


async def closed(room: Room) -> None:
    await room.close()


async def muted(room: Room) -> None:
    await room.mute("machine")


async def removed(room: Room) -> None:
    await room.remove_member("machine")


async def read_only(room: Room) -> None:
    strict = Lab(room.log.url.render_as_string())
    await strict.create_room(room.id, study=room.study, write="experimenter")


ACTS = pytest.mark.parametrize("act", [closed, muted, removed, read_only])


def typists(ann: Browser, since: int = 0) -> list[list[list[str]]]:
    """Who was said to be typing."""
    return [frame["who"] for frame in ann.frames[since:] if frame["t"] == "typing"]


@a_bot(reading=120, typing=600, jitter=0, seed=1)
@ACTS
async def test_who_may_not_write_is_not_seen_typing(person: Person, room: Room, act: Act) -> None:
    """It reads for two seconds, and before that is over it may not write."""
    async with person() as ann:
        await ann.hears("presence", n=2)
        await ann.says("one two three four")
        await until(room.audit)  # else it may be gone before it has read anything
        await act(room)
        await outcomes(room, 1)
        await ann.settles()
        assert typists(ann) == []
        assert len(ann.texts) == 1


@a_bot(reading=None, typing=60, jitter=0, seed=1)
@ACTS
async def test_who_may_write_no_more_stops_typing_and_says_nothing(
    person: Person, room: Room, act: Act
) -> None:
    """It types for 17 seconds; what a person's browser said last fades in the meantime."""
    async with person() as ann:
        await ann.says(SENTENCE)
        await ann.hears("typing")
        loop = asyncio.get_running_loop()
        begun = loop.time()
        await act(room)
        await ann.hears("typing", who=[])
        assert loop.time() - begun < (TYPING_TTL / 2 if act is removed else TYPING_TTL + 2)
        before = len(ann.frames)
        assert await outcomes(room, 1) == [("dropped", act.__name__)]
        await ann.settles()
        assert typists(ann, before) == []
        assert ann.texts == [SENTENCE]


@a_bot(**AT_ONCE)
async def test_who_is_removed_is_not_here(person: Person, room: Room) -> None:
    async with person() as ann:
        here = await ann.hears("presence", n=2)
        own = ann.welcome["you"]["h"]
        await room.remove_member("machine")
        there = await ann.hears("presence", n=1)
        assert there["who"] == [each for each in here["who"] if each[0] == own]
        await ann.says("hello")
        await ann.settles()
        assert ann.texts == ["hello"] and typists(ann) == []


@a_bot(**AT_ONCE, disclose=True)
async def test_who_is_known_as_a_machine_writes_where_people_may_not(
    person: Person, room: Room
) -> None:
    async with person() as ann:
        await read_only(room)
        await room.add_member("boss", role="experimenter")
        await room.post("hello", author="boss")
        await ann.sees("hello", "I heard: hello")


@a_bot({"rate": 1.0, "burst": 1}, **AT_ONCE)
async def test_it_is_no_faster_than_people_may_be(person: Person, room: Room) -> None:
    async with person() as ann, person() as bob, person() as eve:
        for n, each in enumerate((ann, bob, eve)):
            await each.says("hello")
            await settled(room, n + 1)
    said = [m.at.timestamp() for m in await room.messages() if m.member == "machine"]
    assert len(said) == 3
    assert all(b - a > 0.95 for a, b in zip(said, said[1:], strict=False))


@a_bot({"max_length": 12}, **AT_ONCE)
async def test_it_says_no_more_at_once_than_people_may(person: Person, room: Room) -> None:
    async with person() as ann:
        await ann.says("how are you?")
        await ann.sees("how are you?", "I heard: how")


@a_bot({"max_length": 12}, **AT_ONCE, closing="Goodbye to all of you.", max_messages=1)
async def test_last_words_are_no_longer_than_people_may_write(person: Person, room: Room) -> None:
    async with person() as ann:
        for n in range(2):
            await ann.says(f"{n}")
            await settled(room, n + 1)
        await ann.settles()
        assert ann.texts == ["0", "I heard: 0", "1"] or ann.texts == ["0", "1", "I heard: 0"]


@a_bot(**AT_ONCE)
async def test_what_an_app_says_in_its_name_is_what_a_person_could_say(
    person: Person, room: Room
) -> None:
    async with person() as ann:
        await ann.says("hello")
        await ann.sees("hello", "I heard: hello")
        await room.post("I am here.", author="machine")
        await ann.sees("I am here.")
        by_itself, by_app = [*ann.items.values()][1:]
        unlike = {"id", "at", "text", "parts"}
        assert {k: v for k, v in by_itself.items() if k not in unlike} == {
            k: v for k, v in by_app.items() if k not in unlike
        }
        assert "machine" not in json.dumps(ann.frames)
