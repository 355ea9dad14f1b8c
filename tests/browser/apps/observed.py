# People of several roles; the address says which, and whether observers are shown.

from typing import Any, cast

from _asked import asked
from shiny.express import render, ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Observed", fillable=True, lang="en")

chat = Chat(
    "chat",
    room=Lab().room(asked("room", "lobby")),
    role=cast(Any, asked("role", "participant")),
    names=cast(Any, asked("names", "room")),
    show_observers=asked("show") == "yes",
)
chat.ui()


@render.text
def members():
    return f"members: {len(chat.members())}"


@render.text
def here():
    return f"here: {sorted(member.role for member in chat.here())}"
