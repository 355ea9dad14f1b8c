"""What ends bots: limits, closing words, rooms that close."""

from __future__ import annotations

import asyncio
from typing import Any

from shiny_labchat import Bot, Room
from shiny_labchat.lab.runtime import Runtime
from shiny_labchat.live.room import LiveRoom

from .bot import AT_ONCE, echo, is_anns, outcomes, settled, texts, until


async def test_limits_and_what_is_said_at_the_end(room: Room, ann: str, at_work: None) -> None:
    bot = Bot("machine", respond=echo, max_messages=1, closing="I must go.", end="leave", **AT_ONCE)
    room.add_bot(bot)
    for n in range(1, 4):
        await room.post(f"{n}", author=ann)
        await settled(room, min(n, 2))
    assert await outcomes(room, 2) == [("posted", None), ("silent", "max_messages")]
    async with asyncio.timeout(10):
        while "machine" in [member.id for member in await room.members()]:
            pass
    assert await texts(room) == ["I heard: 1", "I must go."]


async def test_two_bots_do_not_talk_for_ever(room: Room, ann: str, at_work: None) -> None:
    for name in ("one", "two"):
        room.add_bot(Bot(name, respond=echo, max_in_a_row=4, **AT_ONCE))
    await room.post("go", author=ann)
    async with asyncio.timeout(20):
        while len([e for e in await room.audit() if e.reason == "max_in_a_row"]) < 1:
            pass
    said = [m for m in await room.messages() if m.member != ann]
    assert 3 <= len(said) <= 5


async def test_a_closed_room_is_not_written_to(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, reading=None, typing=240))
    await room.post("one", author=ann)
    await settled(room, 0)
    await room.close()
    [(outcome, reason)] = await outcomes(room, 1)
    assert (outcome, reason) in {("dropped", "closed"), ("silent", "closed")}
    assert await texts(room) == []


async def test_limits_outlast_a_clearing(room: Room, ann: str, at_work: None) -> None:
    room.add_bot(Bot("machine", respond=echo, max_messages=1, **AT_ONCE))
    await room.post("one", author=ann)
    await settled(room, 1)
    await room.clear()
    await room.post("two", author=ann)
    assert await outcomes(room, 2) == [("posted", None), ("silent", "max_messages")]


async def test_those_who_compose_at_the_same_time_count_in_a_row(
    room: Room, ann: str, at_work: None
) -> None:
    for name in ("one", "two", "three"):
        bot = Bot(name, respond=echo, max_in_a_row=2, when=is_anns, reading=None, typing=200)
        room.add_bot(bot)
    await room.post("hello", author=ann)
    entries = await settled(room, 7)  # they hear each other, too
    ends = [(entry.outcome, entry.reason) for entry in entries if entry.reason != "when"]
    assert sorted(ends, key=str) == [
        ("posted", None),
        ("posted", None),
        ("silent", "max_in_a_row"),
    ]


async def test_last_words_that_may_not_be_said_are_said_when_they_may(
    room: Room, ann: str, at_work: None
) -> None:
    words = "Goodbye."
    pace: Any = {"reading": None, "typing": 60}
    bot = Bot("machine", respond=lambda m: "a", max_messages=1, closing=words, **pace)
    await bot.enter(room)
    live = await Runtime.of(room.log).live.open(room.key)
    await bot.react(room, await room.post("one", author=ann))
    await until(lambda: is_typing(live, False))
    reacting = asyncio.create_task(bot.react(room, await room.post("two", author=ann)))
    await until(lambda: is_typing(live, True))
    await room.close()
    await reacting
    assert await outcomes(room, 2) == [("posted", None), ("silent", "max_messages")]
    assert await texts(room) == ["a"]
    await room.open()
    await bot.react(room, await room.post("three", author=ann))
    assert await texts(room) == ["a", words]
    await room.clear()
    await bot.react(room, await room.post("four", author=ann))
    assert await texts(room) == ["a", words], "once"
    live.leave()


async def is_typing(live: LiveRoom, wanted: bool) -> bool:
    await live.catch_up()
    return ('"who":[[' in (live.presence.typing.frame or "")) == wanted
