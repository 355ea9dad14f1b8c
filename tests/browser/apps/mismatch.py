# Half of an import changed: our element without our Chat, and our Chat with shinychat's element.

import shinychat
from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, chat_ui

page = ui.page_fillable(
    ui.card(chat_ui("ours"), height="300px"),
    ui.card(shinychat.chat_ui("theirs"), height="300px"),
    title="Mismatch",
    lang="en",
)


def server(input: Inputs, output: Outputs, session: Session):
    Chat("theirs", room="mismatch")
    shinychat.Chat("ours", history=False)


app = App(page, server)
