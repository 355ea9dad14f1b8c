# Twelve kinds of inputs that are events; what each fires is recorded in the room.

from _asked import asked
from shiny import reactive
from shiny.express import input, module, render, ui
from shiny.reactive import event

from shiny_labchat.express import Chat

ui.page_opts(title="Events", fillable=True, lang="en")

SET = {"flag": "true", "text": "'go'", "fields": "{a: 1}", "number": "7"}
NAMES = ("button", "link", "task", "toolbar", "drawn", "greeted", *SET, "area")

chat = Chat("chat", room=asked("room", "lobby"))
chat.enable_bookmarking(bookmark_store="url")


async def record(name: str) -> None:
    assert chat.room is not None
    await chat.room.record("fired", {"name": name})


@module
def inside(input, output, session):
    ui.input_action_button("button", "inside")

    @reactive.effect
    @event(input.button)
    async def _():
        await record("inside-button")


with ui.layout_columns():
    with ui.div():
        ui.input_action_button("button", "button")
        ui.input_action_link("link", "link")
        ui.input_task_button("task", "task", auto_reset=True)
        ui.toolbar_input_button("toolbar", label="toolbar", show_label=True)
        inside("inside")
        for name, value in SET.items():
            set_value = f"Shiny.setInputValue('{name}', {value}, {{priority: 'event'}})"
            ui.tags.button(name, id=name, onclick=set_value)
        ui.input_submit_textarea("area", "area", rows=1)

        @render.ui
        def late():
            return ui.input_action_button("drawn", "drawn")

    @render.text
    def values():
        inputs = {name: input[name] for name in NAMES if name != "drawn"}  # which is drawn anew
        return ", ".join(f"{name}: {each()}" for name, each in inputs.items() if each.is_set())

    @render.text
    @event(input.button)
    def drawn_at_press():
        return f"pressed {input.button()}"


chat.ui(messages=[ui.input_action_button("greeted", "greeted")])


@chat.on_user_submit
async def _(text: str):
    await chat.append_message(f"done: {text}.")


def counted(name: str) -> None:
    @reactive.effect
    @event(input[name])
    async def _():
        await record(name)


for each in NAMES:
    counted(each)


@reactive.effect
@event(lambda: input.button())
async def _():
    await record("a function")


@reactive.effect
@event(input.button, input.link)
async def _():
    await record("one of two")
