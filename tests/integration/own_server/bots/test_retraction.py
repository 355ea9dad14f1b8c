"""A bot is told nothing of what was retracted, and answers nothing to it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shiny_labchat import Bot, Message, Room

from .bot import AT_ONCE, outcomes, texts


async def test_a_bot_does_not_answer_what_is_retracted_while_it_writes(
    room: Room, ann: str, at_work: None
) -> None:
    asked, may_answer = asyncio.Event(), asyncio.Event()
    told: list[list[str]] = []

    async def respond(messages: Sequence[Message]) -> str:
        told.append([message.content for message in messages])
        asked.set()
        await may_answer.wait()
        return "an answer"

    room.add_bot(Bot("machine", respond=respond, **AT_ONCE))
    message = await room.post("rude", author=ann)
    await asked.wait()
    await room.retract(message)
    may_answer.set()
    assert await outcomes(room, 1) == [("dropped", "retracted")]
    await room.post("polite", author=ann)
    assert await outcomes(room, 2) == [("dropped", "retracted"), ("posted", None)]
    assert told == [["rude"], ["polite"]] and await texts(room) == ["an answer"]


async def test_a_bot_says_nothing_to_what_was_retracted_before_it_has_decided(
    room: Room, ann: str, at_work: None
) -> None:
    asked, may_decide = asyncio.Event(), asyncio.Event()

    async def when(message: Message) -> bool:
        asked.set()
        await may_decide.wait()
        return True

    def respond(messages: Sequence[Message]) -> str:
        return " ".join(message.content for message in messages)

    room.add_bot(Bot("machine", respond=respond, when=when, **AT_ONCE))
    before = await room.post("before", author=ann)
    await asked.wait()
    later = await room.post("later", author=ann)
    await room.retract(before)
    may_decide.set()
    assert await outcomes(room, 2) == [("silent", "retracted"), ("posted", None)]
    assert await texts(room) == ["later"] and later.seq > before.seq
