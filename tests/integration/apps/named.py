"""A lobby whose people choose their names, and a room for all who have been grouped."""

from shiny.express import render, ui

from shiny_labchat import Lobby, Study
from shiny_labchat.express import Chat

study = Study("named")
lobby = Lobby("lobby", study=study, ready=None, settle=0, names="ask")


def hall():
    return None if lobby.room() is None else "hall"


chat = Chat("chat", room=hall, study=study, names="study")


@render.express
def page():
    if lobby.room() is None:
        lobby.ui()
    else:
        chat.ui()
        ui.p("Grouped")
