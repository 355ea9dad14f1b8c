# A chat in an output that is drawn anew while somebody writes: around it, and elsewhere.

from _asked import asked
from shiny.express import input, render, ui
from shiny.ui import output_text

from shiny_labchat.express import Chat

ui.page_opts(title="Typing", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"))
for button in ("around", "elsewhere", "otherwise"):
    ui.input_action_button(button, button)


@render.ui
def page():
    number, depth = input.around(), input.elsewhere()
    placeholder = f"Say it again, {input.otherwise()}" if input.otherwise() else "Say it"
    drawn = ui.div(
        ui.p(f"drawn {number}", id="above"),
        ui.input_text("beside", "Beside", f"at {number}"),
        ui.div(chat.ui(placeholder=placeholder, height="300px"), class_=f"holder at-{number}"),
        ui.tags.script(f"window.ran = {number}"),
        output_text("below"),
    )
    return ui.tags.section(ui.div(drawn), id="deep") if depth % 2 else drawn


with ui.hold():

    @render.text
    def below():
        return f"below: {input.beside()}"


@chat.on_user_submit
async def _(text: str):
    await chat.append_message(f"heard {text}")
