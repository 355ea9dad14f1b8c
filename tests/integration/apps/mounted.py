"""The same app by itself, and mounted under a path of another."""

from shiny import App, Inputs, Outputs, Session, ui
from starlette.applications import Starlette
from starlette.routing import Mount

from shiny_labchat import Chat, Lab, chat_ui

lab = Lab()


def server(input: Inputs, output: Outputs, session: Session) -> None:
    Chat("chat", room="page", study="tests", lab=lab)


app = App(ui.page_fillable(chat_ui("chat")), server)
mounted = Starlette(routes=[Mount("/inner", app=app)])


def by_link(input: Inputs, output: Outputs, session: Session) -> None:
    Chat("chat", room="page", study="tests", lab=lab, identity="link")


links_only = App(ui.page_fillable(chat_ui("chat")), by_link)
mounted_links_only = Starlette(routes=[Mount("/inner", app=links_only)])
