"""A chat in a page, in the room that the page's address names. Nobody writes too fast or much."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from urllib.parse import parse_qs

from shiny import App, Inputs, Outputs, Session, reactive, ui

from shiny_labchat import Chat, Lab, Room, Rules, chat_ui
from tests.bench.clock import beats, now, pause

RULES = Rules(max_length=50_000, rate=None)
STUDY = "bench"
CHUNK = 5
DOES = os.environ.get("BENCH_DOES", "").split()

lab = Lab()


async def chunks(word: str, number: int, rate: float) -> AsyncIterator[str]:
    """When it began, and then so many chunks of `CHUNK` characters, as a model's tokens."""
    yield f"@{word}{now():.6f}@"
    async for n in beats(number, rate):
        yield f"{word}{n:03} "


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat, and handle and read its messages if that is asked for."""

    def room() -> Room:
        query = parse_qs(session.clientdata.url_search().removeprefix("?"))
        return lab.room(query["room"][0], study=STUDY, rules=RULES)

    chat = Chat("chat", room=room)

    if "stream" in DOES:

        @chat.on_user_submit
        async def _(text: str) -> None:
            match text.split():
                case ["stream", word, number, rate]:
                    await chat.append_message_stream(chunks(word, int(number), float(rate)))
                case _:
                    pass

    if "handle" in DOES:

        @chat.on_user_submit
        async def _(text: str) -> None:
            if text.startswith("nap "):
                await pause(float(text.split()[1]))

    if "read" in DOES:

        @reactive.effect
        def _() -> None:
            chat.messages()


app = App(ui.page_fillable(chat_ui("chat")), server)
