"""A model is told nothing that somebody who hears its reply has not heard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from shiny_labchat import Bot, Lab, Message, Room, Rules
from shiny_labchat.bots.talk import Talk
from shiny_labchat.domain.commands import Post, Trigger
from shiny_labchat.domain.triggers import ASKED
from shiny_labchat.lab.bot_registry import CALLBACK
from shiny_labchat.lab.runtime import running
from shiny_labchat.lab.stream import RoomStream

from .test_networks import AT_ONCE, reacts, ring, with_bot


@pytest.fixture(autouse=True)
async def ends(lab: Lab, reopen: Lab) -> AsyncIterator[None]:
    async with running():
        yield


async def acts(bot: Bot, room: Room, name: str) -> Message | None:
    """What a bot writes as a moment has come, or it is asked."""
    trigger = Trigger(f"{CALLBACK}bot", name, instruction="Go on.", number="1")
    [event] = (await room.submit(trigger)).events
    before = len(await room.messages())
    await bot.act(room, event)
    said = await room.messages()
    return said[-1] if len(said) > before else None


@pytest.mark.parametrize("name", [ASKED, "at 120"])
async def test_a_bot_that_writes_by_itself_is_told_what_all_have_heard_who_hear_it(
    lab: Lab, name: str
) -> None:
    room = await ring(lab, "ab", "none")
    bot, asked = await with_bot(room)
    await room.connect({"a": ["bot"], "b": ["bot"], "bot": ["a", "b"]})
    await room.announce("welcome")
    await room.post("a's secret", author="a")
    gone = await room.announce("a mistake")
    await room.post("b's secret", author="b")
    await room.retract(gone)
    said = await acts(bot, room, name)
    assert said is not None and set(said.heard_by or ()) == {"a", "b", "bot"}
    assert asked.told == [["welcome"]]
    await room.disconnect("bot", "b")
    await room.connect("a", "b")  # they hear each other from now on, not from before
    await room.post("for both", author="a")
    await reacts(bot, room, await room.post("and now?", author="a"))
    assert asked.told[-1] == ["welcome", "a's secret", "reply 1", "for both", "and now?"]


async def latecomers(lab: Lab, *people: str) -> Room:
    rules = Rules(rate=None, history="joined")
    room = await lab.create_room("n", study="s", rules=rules)
    for person in people:
        await room.add_member(person)
    return room


async def test_a_bot_is_told_what_was_said_since_the_last_has_come_whatever_they_clear(
    lab: Lab,
) -> None:
    room = await latecomers(lab, "a")
    bot, asked = await with_bot(room)
    await room.post("before", author="a")
    await room.add_member("b")
    await room.post("one", author="a")
    await room.clear("a")
    gone = await room.post("rude", author="a")
    await room.retract(gone)
    for last in ("message", ASKED):
        if last == "message":
            assert await reacts(bot, room, await room.post("two", author="b"))
        else:
            assert await acts(bot, room, last)
    assert asked.told == [["one", "two"], ["one", "two", "reply 1"]]
    await room.configure(rules=Rules(rate=None, history="all"))
    assert await reacts(bot, room, await room.post("three", author="b"))
    assert asked.told[-1][0] == "one", "nobody has read the rest since"


async def test_who_comes_while_a_bot_composes_does_not_hear_a_reply_to_what_was_before(
    lab: Lab,
) -> None:
    room = await latecomers(lab, "a", "b")

    async def respond(messages: Sequence[Message]) -> str:
        if len(messages) == 1:
            await room.add_member("c")
        return "as you said: " + " ".join(message.content for message in messages)

    bot = Bot("bot", respond=respond, disclose=True, **AT_ONCE)
    await bot.enter(room)
    reply = await reacts(bot, room, await room.post("a secret", author="a"))
    assert reply is not None and set(reply.heard_by or ()) == {"a", "b", "bot"}
    again = await reacts(bot, room, await room.post("hello", author="c"))
    assert again is not None and again.audience is None
    assert again.content == "as you said: hello"


async def test_a_function_is_given_the_talk_and_the_members_that_its_bot_hears(lab: Lab) -> None:
    room, talks = await ring(lab, "abc", "none"), list[Talk]()

    def when(message: Message, talk: Talk) -> bool:
        talks.append(talk)
        return False

    bot, _ = await with_bot(room, when=when)
    await room.connect({"a": ["bot"], "b": ["bot"], "bot": ["a"]})
    await room.post("not heard", author="c")
    await room.post("from b", author="b")
    gone = await room.post("rude", author="b")
    await room.retract(gone)
    await reacts(bot, room, await room.post("from a", author="a"))
    [talk] = talks
    assert [message.content for message in talk.messages] == ["from b", "from a"]
    assert {member.id for member in talk.members} == {"a", "b", "bot"}
    assert talk.shares == {"a": 0.5, "b": 0.5}


async def test_a_reply_that_streams_is_told_what_its_hearers_have_heard(lab: Lab) -> None:
    room = await ring(lab, "abc", "none")
    await room.connect({"a": ["b", "c"], "b": ["a"], "c": ["b"]})
    await room.announce("welcome")
    for member in "abc":
        await room.post(f"from {member}", author=member)
    gone = await room.post("rude", author="b")
    await room.retract(gone)
    told: dict[str, Any] = {}
    for member in "abc":
        stream = await RoomStream.open(room, Post([], "user", member), None)
        assert stream is not None
        told[member] = [message.content for message in await stream.heard()]
        await stream.close("failed")  # so it leaves nothing
    assert told == {
        "a": ["welcome", "from a"],
        "b": ["welcome", "from a", "from b"],
        "c": ["welcome", "from a", "from c"],
    }


async def test_a_reply_that_streams_is_told_what_was_said_since_the_last_has_come(
    lab: Lab,
) -> None:
    room = await latecomers(lab, "a")
    await room.post("before", author="a")
    await room.add_member("b")
    await room.post("since", author="a")
    await room.clear("b")
    stream = await RoomStream.open(room, Post([]), None)
    assert stream is not None
    assert [message.content for message in await stream.heard()] == ["since"]
    await stream.close("done")
