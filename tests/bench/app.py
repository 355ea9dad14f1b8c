"""One room for everybody, in which nobody writes too fast."""

from shiny.express import ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Bench", fillable=True)

chat = Chat("chat", room=Lab().room("bench", study="bench", rules=Rules(rate=None)))
chat.ui()
