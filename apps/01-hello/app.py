# Everybody who opens this page is in one room, with a pseudonym.

from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Hello, room", fillable=True)

chat = Chat("chat")
chat.ui()
