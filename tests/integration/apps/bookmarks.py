"""
Chats that are kept in bookmarks; the page's address asks for what a test needs.

``restore`` says where bookmarks bring people back, ``identity``, ``room`` and ``member`` are the
Chat's (``room=choose`` is a function that names the room last said to it, if any, ``room=require``
the same with ``req()``), ``client`` what is kept besides, ``on=none`` and ``cancel`` switch things
off, with ``exclude`` the app says itself what bookmarks leave out, and with ``late`` there is a
chat when the page says ``go``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs

from chatlas import ChatOpenAICompletions
from shiny import App, Inputs, Outputs, Session, reactive, render, req, ui
from starlette.requests import Request

from shiny_labchat import Chat, Lab, chat_module_server, chat_module_ui, chat_ui
from tests.support.beside import beside

RESTORE: dict[str, Any] = {"same": "same-browser", "anywhere": "anywhere", "no": False}
KEPT = beside(os.environ["LABCHAT_URL"], "bookmarks")
lab = Lab()


class Tally:
    """A client that counts what it was asked; its methods may be async or not."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    def get_state(self) -> Any:
        if "break it" in self.asked:
            raise RuntimeError("the tally is broken")
        return {"asked": self.asked}

    async def set_state(self, state: Any) -> None:
        self.asked = state["asked"]


def app_ui(_: Request) -> ui.Tag:
    """The page."""
    return ui.page_fillable(
        chat_ui("chat"), chat_module_ui("inner"), ui.input_text("topic", "Topic", "cats")
    )


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Do as the address asks."""
    with reactive.isolate():
        query = session.clientdata.url_search().removeprefix("?")
    asked = {name: values[0] for name, values in parse_qs(query).items()}
    chosen: reactive.Value[str | None] = reactive.Value(None, name="chosen")
    room = asked.get("room", "")
    if "late" in asked:

        @reactive.effect
        def _() -> None:
            req(input.go())
            Chat("chat", room=chosen, study="tests", lab=lab).enable_bookmarking()

        return
    functions = {"choose": chosen, "require": lambda: req(chosen())}
    chat = Chat(
        "chat",
        room=functions.get(room, room or None),
        study="tests",
        member=asked.get("member"),
        identity=cast(Any, asked.get("identity", "browser")),
        lab=lab,
    )
    inner = chat_module_server("inner", room="inner", study="tests", lab=lab)

    tally = Tally()
    model = ChatOpenAICompletions(model="tiny", api_key="key", base_url="http://127.0.0.1:1")
    client: Any = {"tally": tally, "model": model, "none": None, "wrong": object()}[
        asked.get("client", "none")
    ]
    cancel = chat.enable_bookmarking(
        client,
        bookmark_on=None if "on" in asked else "response",
        restore_member=RESTORE[asked.get("restore", "same")],
    )
    inner.enable_bookmarking(Tally(), bookmark_on=None)
    if "cancel" in asked:
        cancel()
    if "exclude" in asked:
        session.bookmark.exclude = ["topic"]

    @chat.on_user_submit
    async def _(text: str) -> None:
        tally.asked.append(text)
        if text.startswith("to "):
            chosen.set(text.removeprefix("to "))
        elif text == "stream":
            await chat.append_message_stream(["a ", "stream"])
        elif text == "context":
            async with chat.message_stream_context() as stream:
                await stream.append("a context")
        elif text == "bookmark":
            await session.bookmark.update_query_string()
        elif text != "hush":
            await chat.append_message(f"{len(tally.asked)}: {text}")

    @reactive.effect
    @reactive.event(input.go)
    def _() -> None:
        chosen.set(input.go() or None)

    @render.text
    def turns() -> str:
        chat.messages()
        said = [turn.text for turn in model.get_turns()]
        return " | ".join(said)

    @render.text
    def where() -> str:
        room = chat.room
        return f"{room.study}/{room.id}" if room else "nowhere"


app = App(app_ui, server, bookmark_store="url")
on_server = App(app_ui, server, bookmark_store="server")
off = App(app_ui, server)


async def folder(id: str) -> Path:
    """Where bookmarks are kept on the server."""
    (KEPT / id).mkdir(parents=True, exist_ok=True)
    return KEPT / id


on_server.set_bookmark_save_dir_fn(folder)
on_server.set_bookmark_restore_dir_fn(folder)
