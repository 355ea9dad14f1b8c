"""A page whose person is whom its input names."""

from shiny.express import input, ui

from shiny_labchat.express import Chat

ui.page_opts(title="With a code")
ui.input_text("code", "Your code")

chat = Chat("chat", room="page", study="tests", member=lambda: input.code() or None)
chat.ui()
