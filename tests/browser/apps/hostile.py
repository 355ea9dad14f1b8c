# A model that repeats, as markdown, whatever is said to it.

from _asked import asked
from shiny.express import ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Hostile", fillable=True, lang="en")

room = Lab().room(asked("room", "lobby"), rules=Rules(rate=None))
chat = Chat("chat", room=room)
chat.ui()


@chat.on_user_submit
async def repeat(text: str):
    await chat.append_message(text)
