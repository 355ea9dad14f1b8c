"""Bots are there, once, and go on after a crash."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from shiny_labchat import Bot, Lab, Message, Room, Rules
from shiny_labchat.bots import Every, queue
from shiny_labchat.domain import commands
from tests.integration.own_server.conftest import Person
from tests.support.server import Server

from .bot import AT_ONCE, a_bot, echo, settled, texts, until

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
    message = await room.post("hello", author=ann)
    said: list[int] = []

    def respond(messages: Sequence[Message]) -> str:
        said.append(len(messages))
        return "never"

    bot = Bot("machine", respond=respond, **AT_ONCE)
    await bot.enter(room)
    post = commands.Post([("text", "I said it.")], "user", "machine", cid=f"bot:{message.seq}")
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


async def test_what_was_decided_is_not_decided_again(room: Room, ann: str, at_work: None) -> None:
    """The server died after it was noted, so the message comes once more."""
    bot = Bot("machine", respond=echo, when=Every(2), **AT_ONCE)
    await bot.enter(room)
    message = await room.post("one", author=ann)
    for _ in range(2):
        await bot.react(room, message)
    assert [(e.outcome, e.reason) for e in await room.audit()] == [("silent", "when")]


async def test_who_was_taken_for_dead_notes_that_another_has_said_it(
    room: Room, ann: str, at_work: None
) -> None:
    message = await room.post("hello", author=ann)

    async def late(messages: Sequence[Message]) -> str:
        cid = f"bot:{message.seq}"
        post = commands.Post([("text", "I was faster.")], "user", "machine", cid=cid)
        await room.submit(post)
        return "I am late."

    bot = Bot("machine", respond=late, **AT_ONCE)
    await bot.enter(room)
    await bot.react(room, message)
    assert await texts(room) == ["I was faster."]
    [entry] = await room.audit()
    assert (entry.outcome, entry.reason, entry.became) == ("dropped", "said already", None)


async def test_the_place_of_one_who_is_gone_is_free(lab: Lab, at_work: None) -> None:
    """Others of the process compose all the time."""
    few = lab.room("few", study="s", rules=Rules(rate=None, max_composing=1))
    other = lab.room("other", study="s", rules=Rules(rate=None))
    for each in (few, other):
        await each.add_member("ann")
    await lab.log.write(lambda conn, now: queue.join(conn, few.key, "gone"))
    long = "word " * 100
    other.add_bot(Bot("busy", respond=lambda messages: long, reading=None, typing=100))
    await other.post("go", author="ann")
    few.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    await few.post("hello", author="ann")
    await settled(few, 1, within=3)
    assert await texts(few) == ["I heard: hello"]


async def test_a_bot_takes_nobodys_place(
    room: Room, ann: str, at_work: None, caplog: pytest.LogCaptureFixture
) -> None:
    await room.add_member("bob")
    room.add_bot(Bot(ann, respond=echo, **AT_ONCE))
    await until(lambda: is_logged(caplog, "bot 'ann' is not in room 'r'"))
    room.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    await room.post("hello", author="bob")
    await settled(room, 1)
    assert [m.member for m in await room.messages()] == ["bob", "machine"]


async def test_a_bot_without_a_name_keeps_nobody_away(
    lab: Lab, at_work: None, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(member: str) -> str:
        raise KeyError(member)

    lab.add_bot(Bot("nameless", respond=echo, pseudonym=broken, **AT_ONCE))
    lab.add_bot(Bot("machine", respond=echo, **AT_ONCE))
    room = lab.room("r", study="s")
    await room.add_member("ann")
    assert await is_logged(caplog, "bot 'nameless' is not in room 'r'")
    await room.post("hello", author="ann")
    await settled(room, 1)
    assert [m.id for m in await room.members()] == ["machine", "ann"]
    assert await texts(room) == ["I heard: hello"]


async def is_logged(caplog: pytest.LogCaptureFixture, text: str) -> bool:
    return text in caplog.text
