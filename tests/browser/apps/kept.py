# A page whose address leads back to all that was said, with a chatlas client and another one.

import os
from pathlib import Path
from typing import Any

from _asked import asked
from _stamp import STAMP
from chatlas import ChatOpenAICompletions
from chatlas.types import ContentThinkingDelta
from htmltools import TagList, tags
from shiny import App, Inputs, Outputs, Session, render, ui
from starlette.requests import Request

from shiny_labchat import Chat, chat_ui
from tests.support.beside import beside

CARD = TagList(STAMP, tags.button("Stamp", class_="stamp", type="button"))


class Repeater:
    """A model with a memory of its own."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def get_state(self) -> Any:
        return {"told": self.told}

    async def set_state(self, state: Any) -> None:
        self.told = state["told"]


def page(_: Request):
    return ui.page_fillable(
        chat_ui("chat", messages=["Welcome!"]),
        ui.output_text("told"),
    )


def server(input: Inputs, output: Outputs, session: Session):
    chat = Chat("chat", room=asked("room", "lobby"))
    repeater = Repeater()
    model = ChatOpenAICompletions(model="tiny", api_key="key", base_url="http://127.0.0.1:1")
    chat.enable_bookmarking(model if asked("client") == "chatlas" else repeater)

    async def mixed():
        yield ContentThinkingDelta(thinking="hm", phase="body")
        yield "Some **bold** words"
        yield CARD

    @chat.on_user_submit
    async def _(text: str):
        repeater.told.append(text)
        match text:
            case "card":
                await chat.append_message(CARD)
            case "mixed":
                await chat.append_message_stream(mixed())
            case _:
                await chat.append_message(f"{len(repeater.told)}: {text}")

    @render.text
    def told():
        chat.messages()
        turns = [turn.text for turn in model.get_turns()]
        return f"told {repeater.told}, turns {turns}"


app = App(page, server, bookmark_store="url")
on_server = App(page, server, bookmark_store="server")


async def folder(id: str) -> Path:
    kept = beside(os.environ["LABCHAT_URL"], "bookmarks") / id
    kept.mkdir(parents=True, exist_ok=True)
    return kept


on_server.set_bookmark_save_dir_fn(folder)
on_server.set_bookmark_restore_dir_fn(folder)
