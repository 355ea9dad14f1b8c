"""A lobby whose people choose their names."""

from shiny.express import render

from shiny_labchat import Lobby, Study
from shiny_labchat.express import Chat

study = Study("naming", texts={"name.button": "That is me"})
lobby = Lobby("lobby", study=study, ready=None, settle=0, names="ask")
chat = Chat("chat", room=lobby.room)


@render.express
def page():
    if lobby.room() is None:
        lobby.ui()
    else:
        chat.ui()
