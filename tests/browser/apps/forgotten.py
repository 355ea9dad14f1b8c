"""Says how many pages of its study the process still has something of."""

import gc

from shiny import reactive
from shiny.express import render

from shiny_labchat import Lobby, Study
from shiny_labchat.express import Chat
from shiny_labchat.lobby.session import StudySession

study = Study("forgotten")
lobby = Lobby("lobby", study=study, group_size=9)
chat = Chat("chat", room=lobby.room)
lobby.ui()


@render.text
def read():
    return f"{chat.state()} {chat.all_have('x')} {chat.records()} {lobby.position()}"


@render.text
def kept():
    reactive.invalidate_later(1)
    gc.collect()
    return str(sum(isinstance(each, StudySession) for each in gc.get_objects()))
