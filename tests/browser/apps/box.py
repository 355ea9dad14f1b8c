# Buttons that work the text box, empty the chat and end it.

import warnings

from _asked import asked
from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Box", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"))
wrong = reactive.value("none", name="wrong")

with ui.div():
    for button in (
        "value placeholder focus submit submit_focus deprecated submit_alone focus_alone "
        "clear_view clear_room clear_wrong forget destroy"
    ).split():
        ui.input_action_button(button, button)


@render.text
def error():
    return f"error: {wrong()}"


chat.ui()


@reactive.effect
@reactive.event(input.value)
def _():
    chat.update_user_input(value="a suggestion")


@reactive.effect
@reactive.event(input.placeholder)
def _():
    chat.update_user_input(placeholder="Say something kind")


@reactive.effect
@reactive.event(input.focus)
def _():
    chat.update_user_input(value="go on", focus=True)


@reactive.effect
@reactive.event(input.submit)
def _():
    chat.update_user_input(value="sent for me", submit=True)


@reactive.effect
@reactive.event(input.submit_focus)
def _():
    chat.update_user_input(value="and now you", submit=True, focus=True)


@reactive.effect
@reactive.event(input.deprecated)
def _():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        chat.set_user_message("the old way")


@reactive.effect
@reactive.event(input.submit_alone)
def _():
    try:
        chat.update_user_input(submit=True)
    except ValueError as exc:
        wrong.set(str(exc))


@reactive.effect
@reactive.event(input.focus_alone)
def _():
    try:
        chat.update_user_input(placeholder="x", focus=True)
    except ValueError as exc:
        wrong.set(str(exc))


@reactive.effect
@reactive.event(input.clear_view)
async def _():
    await chat.clear_messages()


@reactive.effect
@reactive.event(input.clear_room)
async def _():
    await chat.clear_messages(scope="room")


@reactive.effect
@reactive.event(input.clear_wrong)
async def _():
    try:
        await chat.clear_messages(scope="all")  # pyright: ignore[reportArgumentType]
    except ValueError as exc:
        wrong.set(str(exc))


@reactive.effect
@reactive.event(input.forget)
def _():
    wrong.set("none")


@reactive.effect
@reactive.event(input.destroy)
def _():
    chat.destroy()
