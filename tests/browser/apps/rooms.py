# Two rooms on one page.

from _asked import asked
from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="Two rooms", fillable=True, lang="en")

room = asked("room", "lobby")
one = Chat("one", room=f"{room}-one")
two = Chat("two", room=f"{room}-two", identity="browser")

with ui.layout_columns():
    one.ui()
    two.ui()
