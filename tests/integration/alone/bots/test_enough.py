"""What ends bots: limits, closing words, rooms that close."""

from __future__ import annotations

import asyncio

from shiny_labchat import Bot, Room

from .bot import AT_ONCE, echo, outcomes, settled, texts


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
