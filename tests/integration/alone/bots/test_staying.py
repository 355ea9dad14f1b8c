"""Bots are there, once, and go on after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shiny_labchat import Bot, Lab, Message, Room
from tests.integration.alone.conftest import Person
from tests.server import Server

from .bot import AT_ONCE, a_bot, echo, settled, texts

APP = ["-m", "uvicorn", "tests.integration.apps.bots:app"]


@a_bot(reading=None, typing=40, seed=3)
async def test_it_goes_on_after_a_crash_before_anybody_visits(
    server: Server, person: Person, lab: Lab
) -> None:
    room = lab.room("bots", study="tests")
    async with person() as ann:
        await ann.says("are you there?")
        await ann.hears("typing")
        async with asyncio.timeout(10):
            while not [entry for entry in await room.audit() if entry.done]:
                pass
        server.kill()
    server.start()
    entries = await settled(room, 2, within=30)
    assert [e.outcome for e in entries] == ["interrupted", "posted"]
    assert [m.content for m in await room.messages()] == [
        "are you there?",
        "I heard: are you there?",
    ]


async def test_what_was_said_before_a_crash_is_not_said_again(
    room: Room, ann: str, at_work: None
) -> None:
    """The message is in the log, but the server died before the record said so."""
    from shiny_labchat import _commands

    message = await room.post("hello", author=ann)
    said: list[int] = []

    def respond(messages: Sequence[Message]) -> str:
        said.append(len(messages))
        return "never"

    bot = Bot("machine", respond=respond, **AT_ONCE)
    await bot.enter(room)
    post = _commands.Post([("text", "I said it.")], "user", "machine", cid=f"bot:{message.seq}")
    await room.submit(post)
    await bot.react(room, message)
    assert await texts(room) == ["I said it."] and said == []


async def test_declaring_it_again_changes_nothing(room: Room, ann: str, at_work: None) -> None:
    """An Express script runs once per session."""
    for _ in range(20):
        room.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    await room.post("hello", author=ann)
    await settled(room, 1)
    assert await texts(room) == ["I heard: hello"]
    assert [m.id for m in await room.members()] == ["ann", "machine"]


async def test_who_was_removed_stays_away(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    await room.post("hello", author=ann)
    await settled(room, 1)
    await room.remove_member("machine")
    room.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    room.add_bot(Bot("other", respond=lambda messages: None, **AT_ONCE))
    await room.post("and now?", author=ann)
    await settled(room, 2)
    assert [m.id for m in await room.members()] == ["ann", "other"]
    assert await texts(room) == ["I heard: hello"]
