# Only with a personal link.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="By link", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"), identity="link")
chat.ui()
