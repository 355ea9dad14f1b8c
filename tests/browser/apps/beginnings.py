# What a script says when it starts: every visitor's session says it anew, so it has an id.

from _asked import asked
from shiny import reactive
from shiny.express import render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Beginnings", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"))
chat.ui()
chat.update_user_input(value="Begin with this")


@reactive.effect
async def _():
    await chat.append_message_stream(("one ", "and ", "one"), id="one")


@reactive.effect
async def _():
    await chat.append_message("two and two", id="two")


@reactive.effect
async def _():
    await chat.append_message_stream(("three ", "and ", "three"), id="three")


@reactive.effect
async def _():
    await chat.append_message("four and four", id="four")


@reactive.effect
async def _():
    await chat.append_message({"role": "user", "content": "here I am"}, id="me")


@chat.on_user_submit
async def _(text: str):
    for n in ("first", "second"):
        await chat.append_message_stream([f"{n} ", "stream"])
        await chat.append_message(f"{n} message")


@render.text
def said():
    return " / ".join(f"{message['role']}: {message['content']}" for message in chat.messages())
