"""A room in which a word of a person's begins a stream: see `speak`."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator

from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, Lab, Rules, chat_ui
from tests.steadfast import ticks

lab = Lab()
room = lab.room("streams", study="tests", rules=Rules(rate=None))
RATE = float(os.environ.get("STREAM_RATE", "100"))


async def chunks(number: int, word: str) -> AsyncIterator[str]:
    """So many chunks, at `RATE` a second."""
    async for n in ticks(RATE, number):
        yield f"{word}{n} "


async def broken() -> AsyncIterator[str]:
    """Fails in the middle."""
    yield "half a "
    raise RuntimeError("the model has a headache")


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat, in which "speak WORD N" and "break" are commands."""
    chat = Chat("chat", room=room)

    @chat.on_user_submit
    async def _(text: str) -> None:
        match text.split():
            case ["speak", word, number]:
                await chat.append_message_stream(chunks(int(number), word), author=word)
            case ["break"]:
                await chat.append_message_stream(broken())
            case _:
                pass


app = App(ui.page_fillable(chat_ui("chat")), server)
