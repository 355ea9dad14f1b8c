# Two messages whose outputs need the same file, which takes a while to come.

import asyncio
from pathlib import Path

from _asked import asked
from htmltools import HTMLDependency, tags
from shiny import App, Inputs, Outputs, Session, render, ui
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route

from shiny_labchat import Chat, chat_ui

SHOUT = HTMLDependency("shout", "1.0", source={"href": "shout"}, script={"src": "shout.js"})


def page(_: Request):
    return ui.page_fillable(chat_ui("chat"), lang="en")


def server(input: Inputs, output: Outputs, session: Session):
    chat = Chat("chat", room=asked("room", "lobby"))

    @render.text
    def one():
        return "one"

    @render.text
    def two():
        return "two"

    @chat.on_user_submit
    async def _(text: str):
        await chat.append_message([SHOUT, tags.div(id=text, class_="shout")])


async def script(_: Request):
    await asyncio.sleep(0.5)
    return FileResponse(Path(__file__).parent / "shout" / "shout.js")


app = App(page, server)
app.starlette_app.routes.insert(0, Route("/shout/shout.js", script))
