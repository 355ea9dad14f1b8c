"""A room in which a word of a person's begins a stream."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import suppress

from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, Lab, Rules, chat_ui
from shiny_labchat.chat import streams
from tests.support.reconnecting_client import ticks

lab = Lab()
room = lab.room("streams", study="tests", rules=Rules(rate=None))
LONG = "x" * 50_000
RATE = float(os.environ.get("STREAM_RATE", "100"))


async def chunks(number: int, word: str) -> AsyncIterator[str]:
    """So many chunks, at `RATE` a second."""
    async for n in ticks(RATE, number):
        yield f"{word}{n} "


async def odd() -> AsyncIterator[str]:
    """Halves of characters, together and alone, and what ends strings elsewhere."""
    for piece in ("before \ud83d", "\ude00 nu\0l", " \ud83d", " after"):
        yield piece


async def progress(chat: Chat) -> AsyncIterator[str]:
    """Says at length how far something has come, again and again."""
    yield LONG
    async with chat.message_stream_context() as done:
        async for n in ticks(RATE, 100):
            await done.replace(f"{n} %")
        await done.replace("done")


async def broken() -> AsyncIterator[str]:
    """Fails in the middle."""
    yield "half a "
    raise RuntimeError("the model has a headache")


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat, in which some words are commands; see the tests."""
    chat = Chat("chat", room=room)
    never = Chat("never", room=lambda: None)

    @chat.on_user_submit
    async def _(text: str) -> None:
        match text.split():
            case ["speak", word, number]:
                await chat.append_message_stream(chunks(int(number), word), author=word)
            case ["break"]:
                await chat.append_message_stream(broken())
            case ["odd"]:
                await chat.append_message_stream(odd())
            case ["progress"]:
                await chat.append_message_stream(progress(chat))
            case ["private", word, number, whom]:
                said, me = chunks(int(number), word), chat.member()
                await chat.append_message_stream(said, author=me, audience=[whom])
            case ["clear"]:
                await chat.clear_messages()
            case ["refused"]:
                await chat.append_message_stream(chunks(1, "a"), id="stream:1")
            case ["muted"]:
                me = chat.member()
                assert me is not None
                await room.mute(me)
                await chat.append_message_stream(chunks(1, "a"), author=me)
            case ["replace"]:
                async with chat.message_stream_context() as stream:
                    await stream.append("kept")
                    with suppress(ValueError):
                        await stream.replace(object())
            case ["never"]:
                await never.append_message_stream(chunks(1, "a"))
            case ["running?"]:
                await room.announce(f"{len(streams._tasks._running)} running")  # pyright: ignore
            case _:
                pass


app = App(
    ui.page_fillable(chat_ui("chat"), chat_ui("never")),
    server,
)
