# A module in which a handler asks what was said, and one in which a model replies.

import os

from _asked import asked
from chatlas import ChatOpenAICompletions
from shiny import App, Inputs, Outputs, Session, module, ui

from shiny_labchat import Chat, chat_ui

client = ChatOpenAICompletions(
    model="tiny",
    api_key="key",
    base_url=os.environ["MODEL_URL"],
)


@module.ui
def place():
    return chat_ui("chat")


@module.server
def echo(input: Inputs, output: Outputs, session: Session, room: str):
    chat = Chat("chat", room=room)

    @chat.on_user_submit
    async def _():
        await chat.append_message(f"You said: {chat.user_input()}")


@module.server
def model(input: Inputs, output: Outputs, session: Session, room: str):
    Chat("chat", room=room, client=client)


def server(input: Inputs, output: Outputs, session: Session):
    room = asked("room", "lobby")
    echo("echo", f"{room}-echo")
    model("model", f"{room}-model")


app = App(ui.page_fillable(ui.layout_columns(place("echo"), place("model"))), server)
