# A person who goes from room to room.

from _asked import asked
from shiny.express import input, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Moving", fillable=True, lang="en")

room = asked("room", "lobby")
ui.input_radio_buttons("where", "Where", {"a": "A", "b": "B", "": "nowhere"}, inline=True)
chat = Chat("chat", room=lambda: f"{room}-{input.where()}" if input.where() else None)
chat.ui()
