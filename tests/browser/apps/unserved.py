# Chats that the server does not have, and one that the page has twice.

from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, chat_ui

page = ui.page_fluid(
    *(ui.card(chat_ui(id), height="300px") for id in ("talk", "tlak", "talk")),
    ui.output_ui("again"),
    title="Unserved",
    lang="en",
)


def server(input: Inputs, output: Outputs, session: Session):
    Chat("talk", room="unserved")


app = App(page, server)
