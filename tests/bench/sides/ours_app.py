"""A chat in a page, in the room that the page's address names."""

from __future__ import annotations

import os
from collections.abc import Sequence
from urllib.parse import parse_qs

from shiny import App, Inputs, Outputs, Session, reactive, ui

from shiny_labchat import Bot, Chat, Lab, Message, Room, chat_ui
from tests.bench.sides import asked
from tests.bench.sides.ours_rooms import RULES, STUDY

DOES = os.environ.get("BENCH_DOES", "").split()

lab = Lab()


def says_nothing(conversation: Sequence[Message]) -> None:
    """What a bot replies that has nothing to say."""


if "bot" in DOES:
    lab.add_bot(Bot("bot", respond=says_nothing, when="mention"), "bot-*")


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat, and do with its messages what is asked for."""

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

    if "pass" in DOES:

        @chat.on_user_submit
        def _(text: str) -> None:
            pass

    if "read" in DOES:

        @reactive.effect
        def _() -> None:
            chat.messages()


app = App(ui.page_fillable(chat_ui("chat")), server)
