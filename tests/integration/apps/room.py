"""A page with one room; the tests talk to its gateway."""

from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="A room")

chat = Chat("chat", room="page", study="tests")
chat.ui()
