"""A page whose chat is made in sessions only: a worker without any knows no lab."""

from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, chat_ui


def server(input: Inputs, output: Outputs, session: Session) -> None:
    chat = Chat("chat", room="page", study="tests")

    @chat.on_user_submit
    async def heard(text: str) -> None:
        await chat.append_message(f"heard {text}")


app = App(ui.page_fillable(chat_ui("chat")), server)
