"""A lobby for two, whose page says what it knows; the group then answers a question."""

from shiny.express import render, ui

from shiny_labchat import Lobby, Rules, Study
from shiny_labchat.express import Chat

study = Study("waits", params=("WHO",), contact="lab@example.org")
lobby = Lobby("lobby", study=study, ready=None, rules=Rules(duration=600, ends="any_done"))
chat = Chat("chat", room=lobby.room)


@render.express
def page():
    person, state = study.person(), chat.state()
    if state == "open":
        chat.ui(done="We are done")
    elif state == "closed" and person is not None and "choice" not in person.data:
        study.form("choice", ui.input_radio_buttons("choice", "Which?", ["X", "Y"]), step="chosen")
    else:
        lobby.ui()


@render.text
def state():
    return f"lobby {lobby.state()}, chat {chat.state()}, room {getattr(lobby.room(), 'id', None)}"


@render.text
def line():
    return f"waiting {lobby.waiting()}, position {lobby.position()}, until {lobby.deadline()}"


@render.text
def known():
    person = chat.person()
    return "nobody" if person is None else f"step {person.step}, ended {person.ended}"


@render.text
def have():
    return f"all {chat.all_have('choice', within=4)}, records {len(chat.records('choice'))}"
