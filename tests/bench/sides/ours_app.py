"""A chat in a page, in the room that the page's address names. Nobody writes too fast or much."""

from __future__ import annotations

import os
from urllib.parse import parse_qs

from shiny import App, Inputs, Outputs, Session, reactive, ui

from shiny_labchat import Chat, Lab, Room, Rules, chat_ui
from tests.bench.sides import asked

RULES = Rules(max_length=50_000, rate=None)
STUDY = "bench"
DOES = os.environ.get("BENCH_DOES", "").split()

lab = Lab()


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat, and handle and read its messages if that is asked for."""

    def room() -> Room:
        query = parse_qs(session.clientdata.url_search().removeprefix("?"))
        return lab.room(query["room"][0], study=STUDY, rules=RULES)

    chat = Chat("chat", room=room)

    if "handle" in DOES:

        @chat.on_user_submit
        async def _(text: str) -> None:
            await asked.nap(text)
            if stream := asked.stream(text):
                await chat.append_message_stream(stream.chunks())

    if "read" in DOES:

        @reactive.effect
        def _() -> None:
            chat.messages()


app = App(ui.page_fillable(chat_ui("chat")), server)
