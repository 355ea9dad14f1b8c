# A chat that comes and goes with an output, and a room that comes late.

from _asked import asked
from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Appears", fillable=True, lang="en")

name = asked("room", "lobby")
found: reactive.value[str | None] = reactive.value(None, name="found")
chat = Chat("chat", room=name)
later = Chat("later", room=lambda: found())

with ui.div():
    ui.input_action_button("toggle", "Show or hide")
    ui.input_action_button("find", "Find a room")
    ui.input_action_button("move", "Another room")


@render.express
def page():
    if input.toggle() % 2 == 0:
        chat.ui()


later.ui()


@render.text
def later_state():
    return f"later is {later.state()}"


@reactive.effect
@reactive.event(input.find)
def _():
    found.set(f"{name}-found")


@reactive.effect
@reactive.event(input.move)
def _():
    found.set(f"{name}-elsewhere")
