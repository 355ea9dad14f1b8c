# A greeting for each, what sends, who may stop an answer, and words that are not accepted.

import asyncio
from typing import Any, cast

from _asked import asked
from htmltools import tags
from shiny import App, Inputs, Outputs, Session, reactive, ui
from shinychat import chat_greeting
from starlette.requests import Request

from shiny_labchat import Chat, chat_ui

WELCOME = "Welcome. <span class='suggestion'>Where am I?</span>"


def page(request: Request):
    wanted = request.query_params
    greeting = chat_greeting("Stay a while", persistent=True) if "stays" in wanted else WELCOME
    return ui.page_fillable(
        ui.h2("Options"),
        chat_ui(
            "chat",
            messages=wanted.getlist("first"),
            breaks="breaks" in wanted,
            greeting=greeting,
            submit_key=cast(Any, wanted.get("key", "enter")),
            enable_cancel="unstoppable" not in wanted,
            icon_assistant=tags.i("R", class_="my-robot"),
        ),
        *(ui.input_action_button(name, name) for name in ("greet", "ungreet", "clear", "all")),
        lang="en",
    )


async def forever():
    yield "on and "
    await asyncio.Event().wait()


def server(input: Inputs, output: Outputs, session: Session):
    greeting = "From the *server*" if asked("server") else None
    chat = Chat("chat", room=asked("room", "lobby"), greeting=greeting)

    @reactive.effect
    @reactive.event(input.greet)
    async def greet():
        await chat.set_greeting(tags.b("Good day"))

    @reactive.effect
    @reactive.event(input.ungreet)
    async def ungreet():
        await chat.set_greeting(None)

    @reactive.effect
    @reactive.event(input.clear)
    async def clear():
        await chat.clear_messages()

    @reactive.effect
    @reactive.event(input.all)
    async def clear_all():
        await chat.clear_messages(greeting=True)

    @chat.transform_user_input
    def decent(text: str) -> str | None:
        if "broken" in text:
            raise RuntimeError("it is")
        return None if "damn" in text else text.replace("heck", "h***")

    @chat.on_user_submit
    async def _(text: str):
        if text == "go":
            await chat.append_message_stream(forever())


app = App(page, server)
