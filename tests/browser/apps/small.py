# A chat of the size that the app wants.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Small", lang="en")

chat = Chat("chat", room=asked("room", "lobby"))
chat.ui(width=400, height=200, fill=False)
