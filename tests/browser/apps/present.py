# A room whose log has who is here, idle, away or gone. Nothing is posted: hidden pages rest.

from _asked import asked
from shiny.express import ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Present", fillable=True, lang="en")

room = Lab().room(asked("room", "lobby"), rules=Rules(log_presence=True))
chat = Chat("chat", room=room)
chat.ui()
