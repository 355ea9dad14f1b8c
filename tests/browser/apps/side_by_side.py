# Two people in one window.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Side by side", fillable=True, lang="en")

room = asked("room", "lobby")
left = Chat("left", room=room, identity="tab")
right = Chat("right", room=room, identity="tab")

with ui.layout_columns():
    left.ui(data_person="left")
    right.ui(data_person="right")
