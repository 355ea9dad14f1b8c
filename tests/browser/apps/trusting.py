# An app that trusts its own strings, and in which a model replies.

import os

from _asked import asked
from chatlas import ChatOpenAICompletions
from shiny.express import ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Hostile", fillable=True, lang="en")

room = Lab().room(asked("room", "lobby"), rules=Rules(rate=None))
client = ChatOpenAICompletions(model="tiny", api_key="key", base_url=os.environ["MODEL_URL"])
chat = Chat("chat", room=room, client=client, html="trusted", messages=["<i class='first'>x</i>"])
chat.ui(messages=["<i class='shown'>y</i>"])
