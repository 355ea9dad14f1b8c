# What a page does while Shiny's session is away; `?reconnect=no` leaves it so.

from _asked import asked
from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Away", fillable=True, lang="en")

counted = reactive.value(0, name="counted")
chat = Chat("chat", room=asked("room", "lobby"), reconnect=asked("reconnect") != "no")

with ui.layout_columns(col_widths=(6, 6), class_="my-2"):
    ui.input_text("suffix", "Suffix", "as given")

    @render.text
    def count():
        return f"counted {counted()}"


with ui.card():
    chat.ui()


@chat.on_user_submit
async def obey(text: str):
    match text:
        case "count":
            counted.set(counted() + 1)
        case "read":
            await chat.append_message(f"suffix: {input.suffix()}")
        case _:
            pass
