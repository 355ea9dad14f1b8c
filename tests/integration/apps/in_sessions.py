"""A page that is made for each visitor, with its chat: a worker without any knows no lab."""

from shiny import App, Inputs, Outputs, Session, ui
from starlette.requests import Request

from shiny_labchat import Chat, chat_ui


def page(request: Request) -> ui.Tag:
    return ui.page_fillable(chat_ui("chat"))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    chat = Chat("chat", room="page", study="tests")

    @chat.on_user_submit
    async def heard(text: str) -> None:
        await chat.append_message(f"heard {text}")


app = App(page, server)
