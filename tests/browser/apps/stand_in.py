# Two people; when one of them is away for longer than ten seconds, a bot goes on in their place.

from shiny.express import render, ui

from shiny_labchat import Bot, End, Lobby, Rules, Study
from shiny_labchat.express import Chat

ui.page_opts(title="A pair", lang="en")
study = Study("pair", contact="lab@example.org")
study.consent("You will talk to one other person.", version="1", replacement=True)
study.debrief("We wanted to know **who** notices.")
study.ends({each: End(code=f"CODE-{each}", debrief=False) for each in ("complete", "replaced")})
stand_in = Bot("secret-stand-in", respond=lambda read: f"Echo: {read[-1].content}", reading=None)
rules = Rules(duration=600, grace=10, on_gone=stand_in)
lobby = Lobby("lobby", study=study, ready=None, rules=rules)
chat = Chat("chat", room=lobby.room)


@lobby.when_closed
async def over(room, members):
    for member in members:
        await member.end("complete")


@render.express
def page():
    if chat.state() == "open":
        chat.ui()
    else:
        lobby.ui()
