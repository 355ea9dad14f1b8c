# A reply that takes long until its first word.

import asyncio

from _asked import asked
from shiny.express import ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Silent", fillable=True, lang="en")

chat = Chat("chat", room=Lab().room(asked("room", "lobby")))
chat.ui()


async def words():
    await asyncio.sleep(6)
    yield "Here "
    yield "I am."


@chat.on_user_submit
async def answer():
    await chat.append_message_stream(words())
