# One room, and nothing else; `?room=` says which, `?identity=` how people are known again.

from typing import Any, cast

from _asked import asked
from shiny.express import ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="A room", fillable=True, lang="en")

rules = Rules(rate=None) if asked("rate") == "none" else None
chat = Chat(
    "chat",
    room=Lab().room(asked("room", "lobby"), rules=rules),
    identity=cast(Any, asked("identity", "browser")),
)
chat.ui()
