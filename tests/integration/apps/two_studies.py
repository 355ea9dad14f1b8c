"""An app with a study that people take part in, another that it reads, and one it asks for."""

from shiny.express import input, render, ui

from shiny_labchat import Lobby, Study
from shiny_labchat.express import Chat

study = Study("main", params=("PID",))
lobby = Lobby("lobby", study=study, group_size=2, ready=None, settle=0)
chat = Chat("chat", room=lobby.room)


@render.ui
async def page():
    other = Study("other", params=("PID",))
    Lobby("elsewhere", study="third")
    known = chat.person()
    seen = f"here {known is not None}, there {len(await other.people())}"
    return ui.TagList(ui.p(seen), lobby.ui())


@render.text
def asked():
    return "somebody" if input.ask() and Study("other").person() else "nobody"
