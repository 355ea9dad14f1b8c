# shinychat's own page, without anything of ours.

from shiny.express import ui
from shinychat.express import Chat

ui.page_opts(title="shinychat", fillable=True, lang="en")

chat = Chat("chat")
chat.ui()


@chat.on_user_submit
async def answer(text: str):
    await chat.append_message(f"You said: {text}")
