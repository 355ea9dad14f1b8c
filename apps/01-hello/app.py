# Everybody who opens this page is in one room, with a pseudonym.

from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Hello, room", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

chat = Chat("chat")
chat.ui()
