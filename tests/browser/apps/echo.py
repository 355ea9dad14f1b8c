# Says again what it is told, under the icon that is asked for; `?late` draws it in an output.

from pathlib import Path

from _asked import asked
from htmltools import HTML, tags
from shiny import App, Inputs, Outputs, Session, render, ui
from starlette.requests import Request

from shiny_labchat import Chat, chat_ui

ICONS = {
    "": None,
    "tag": tags.i("R", class_="of-app tag"),
    "svg": HTML('<svg class="of-app svg" viewBox="0 0 9 9"><circle r="4" cx="4" cy="4"/></svg>'),
    "picture": tags.img(src="pictures/square.png", class_="of-app picture", alt=""),
}


def place(icon: str = ""):
    return chat_ui("chat", messages=["Say *something*"], icon_assistant=ICONS[icon])


def page(request: Request):
    wanted = request.query_params
    late = ui.output_ui("late"), ui.input_action_button("again", "Draw it again")
    drawn = late if "late" in wanted else (place(wanted.get("icon", "")),)
    return ui.page_fillable(*drawn, ui.output_text("said"), title="Echo", lang="en")


def server(input: Inputs, output: Outputs, session: Session):
    chat = Chat("chat", room=asked("room", "lobby"))

    @chat.on_user_submit
    async def _(text: str):
        match text.split():
            case ["as", name]:
                await chat.append_message(f"I am {name}", icon=ICONS[name])
            case ["stream", "as", name]:
                await chat.append_message_stream(["I stream ", f"as {name}"], icon=ICONS[name])
            case _:
                await chat.append_message(f"You said: {text}")

    @render.ui
    def late():
        input.again()
        return place()

    @render.text
    def said():
        return str(chat.messages())


pictures = Path(__file__).parent / "pictures"
app = App(page, server, static_assets={"/pictures": pictures})
