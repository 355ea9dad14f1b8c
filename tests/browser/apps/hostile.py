# A model that repeats, as markdown, whatever is said to it; whole, or streamed.

from _asked import asked
from shiny.express import ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Hostile", fillable=True, lang="en")

room = Lab().room(asked("room", "lobby"), rules=Rules(rate=None))
html = "trusted" if asked("html") == "trusted" else "sanitize"
chat = Chat("chat", room=room, html=html)
chat.ui()


@chat.on_user_submit
async def repeat(text: str):
    if asked("by") == "stream":
        await chat.append_message_stream([text])
    else:
        await chat.append_message(text)
