# Inputs and outputs in messages: drawn by the page, appended, and streamed.

from _asked import asked
from _stamp import STAMP
from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Live UI", fillable=True, lang="en")


chat = Chat("chat", room=asked("room", "lobby"))

with ui.hold() as drawn:

    @render.text
    def chosen():
        return f"chosen: {input.select()}, {input.toggle()}"


chat.ui(
    messages=[
        ui.TagList(
            "**Choose**",
            ui.div(
                ui.input_select("select", "Select", ["a", "b"]),
                ui.input_switch("toggle", "Toggle"),
                ui.input_action_button("insert", "Insert"),
                ui.head_content(ui.tags.style("#chat { color: rgb(41, 70, 91); }")),
            ),
        ),
        drawn,
    ]
)


@reactive.effect
async def _():
    await chat.append_message(f"Now {input.select()} and {input.toggle()}", audience="me")


with ui.hold() as appended:

    @render.ui
    def number_again():
        return ui.tags.button(f"Stamp {input.number()}", class_="stamp")


@reactive.effect
@reactive.event(input.insert)
async def _():
    number = ui.input_numeric("number", "Number", value=0)
    await chat.append_message_stream(["Another ", "one: ", ui.TagList(STAMP, number)], id="number")
    await chat.append_message(appended, id="again")
    ui.update_action_button("insert", disabled=True)
