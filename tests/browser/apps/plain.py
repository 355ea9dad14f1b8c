# A page that fills nothing: a heading, and a chat below it.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Plain", lang="en")

ui.h1("Plain")

chat = Chat("chat", room=asked("room", "lobby"))
chat.ui()
