# Two become a group, whose room is being made ready for as long as that may take.

import asyncio

from shiny.express import render, ui

from shiny_labchat import Lobby
from shiny_labchat.express import Chat

ui.page_opts(title="A study", lang="en")
lobby = Lobby("lobby", group_size=2, ready=None, study="slow")
chat = Chat("chat", room=lobby.room)


@lobby.after_grouping
async def prepare(room, members):
    await room.post("Welcome.")
    await asyncio.Event().wait()


@render.express
def page():
    if lobby.room() is None:
        lobby.ui()
    else:
        chat.ui()
