"""A page whose address names its room; what its handler, callback and bot say tells where."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator, Sequence
from urllib.parse import parse_qs

from shiny import App, Inputs, Outputs, Session, render, ui

from shiny_labchat import Bot, Chat, Lab, Member, Message, Room, Rules, chat_ui
from tests.support.reconnecting_client import ticks

RULES = Rules(rate=None)
TIMED = Rules(rate=None, duration=5, starts="first_message", warn=(1,))
TALK, COMPOSING = 40, 2.0
"""How many pieces a stream has, and how long a bot composes, in seconds."""
lab = Lab()


async def slowly(messages: Sequence[Message]) -> str:
    last = [message for message in messages if message.member is not None][-1]
    assert last.room is not None
    room = lab.room(last.room.id, study="tests", rules=RULES)
    await room.post(f"composes {os.getpid()}")
    async for _ in ticks(1 / COMPOSING, 2):
        pass
    return f"bot: {last.content}"


lab.add_bot(Bot("bot", respond=slowly, reading=None, typing=None), "bots-*")


@lab.on_message("called-*")
async def call(room: Room, member: Member | None, message: Message) -> None:
    if member is None:
        return
    again = " again" if message.is_repeat else ""
    if message.content.startswith("hang") and not again:
        await room.post(f"hangs {os.getpid()}")
        await asyncio.Event().wait()
    await room.post(f"called with {message.content}{again}")


async def pieces(word: str) -> AsyncIterator[str]:
    """Pieces that say when they were made, in microseconds."""
    async for _ in ticks(20, TALK if word == "speak" else 10_000):
        yield f"{time.time_ns() // 1000} "


def server(input: Inputs, output: Outputs, session: Session) -> None:
    def which() -> Room:
        [id] = parse_qs(session.clientdata.url_search().removeprefix("?"))["room"]
        return lab.room(id, study="tests", rules=TIMED if id.startswith("timed") else RULES)

    chat = Chat("chat", room=which)

    @chat.on_user_submit
    async def heard(text: str) -> None:
        if text in ("speak", "go on"):
            await chat.append_message_stream(pieces(text))
        else:
            await chat.append_message(f"heard {text}")

    @render.text
    def here() -> str:
        return f"{len(chat.here())} here"

    @render.text
    def said() -> str:
        return " / ".join(message.content for message in chat.messages())


app = App(ui.page_fillable(chat_ui("chat"), ui.output_text("here"), ui.output_text("said")), server)
