"""
Rooms that are longer than what a server has in memory, and everything that reads them.

The log is read only when `/go` has been asked for, so that a test can look at who waits.
"""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import sqlalchemy as sa
from shiny import App, Inputs, Outputs, Session, reactive, render, ui
from sqlalchemy import event as sa_event
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Mount, Route

from shiny_labchat import Chat, Lab, chat_ui

lab = Lab()
begun = threading.Event()
goes_on = threading.Event()
read: dict[str, int] = {"slices": 0}
clicked: list[int] = []


@sa_event.listens_for(sa.Engine, "before_cursor_execute")
def slowly(conn: Any, cursor: Any, statement: str, *_: object) -> None:
    if "event.kind = " in statement and "event.seq < " in statement:
        read["slices"] += 1
        begun.set()
        goes_on.wait(20)


Server = Callable[[Inputs, Outputs, Session], None]


def chat_of_page() -> Chat:
    return Chat("chat", room="long", study="tests", lab=lab)


def handling(input: Inputs, output: Outputs, session: Session) -> None:
    """A handler that does what the message says; what it has read is appended."""
    chat = chat_of_page()

    @chat.on_user_submit
    async def _(text: str) -> None:
        if text == "messages":
            said = chat.messages()
            await chat.append_message(f"{len(said)}, the last is {said[-1].content}")
        elif text == "turns":
            await chat.append_message(f"{len(chat.turns())} turns before it")
        elif text == "stream":

            async def chunks():
                yield "a stream read "
                yield str(len(chat.messages()))

            await chat.append_message_stream(chunks())


def transforming(input: Inputs, output: Outputs, session: Session) -> None:
    chat = chat_of_page()

    @chat.transform_user_input
    def _(text: str) -> str:
        return f"after {len(chat.messages())} others"

    @chat.on_user_submit
    async def _(text: str) -> None:
        await chat.append_message(f"made of it: {text}")


def reading(input: Inputs, output: Outputs, session: Session) -> None:
    """An output, a calculation and an effect that read."""
    chat = chat_of_page()

    @reactive.calc
    def number() -> int:
        return len(chat.messages())

    @render.text
    def said() -> str:
        return f"{number()}: {chat.messages()[-1].content}"


def clicking(input: Inputs, output: Outputs, session: Session) -> None:
    """A click is handled once, whatever is read then."""
    chat = chat_of_page()

    @reactive.effect
    @reactive.event(input.go)
    async def _() -> None:
        clicked.append(input.go())
        await chat.append_message(f"{len(chat.messages())} at the click")


def page(server: Server) -> App:
    return App(ui.page_fillable(chat_ui("chat"), ui.output_text("said")), server)


async def go(request: Request) -> JSONResponse:
    goes_on.set()
    return JSONResponse({})


async def has_begun(request: Request) -> JSONResponse:
    return JSONResponse(await asyncio.to_thread(begun.wait, 20))


async def what_was_read(request: Request) -> JSONResponse:
    return JSONResponse({**read, "clicked": clicked})


app = Starlette(
    routes=[
        Route("/go", go),
        Route("/begun", has_begun),
        Route("/read", what_was_read),
        Mount("/transforming", app=page(transforming)),
        Mount("/reading", app=page(reading)),
        Mount("/clicking", app=page(clicking)),
        Mount("/", app=page(handling)),
    ]
)
