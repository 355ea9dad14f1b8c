# A room whose rules are in the page's address, and what the app can read of its time.

import json

from _asked import asked
from shiny.express import render, ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Timed", fillable=True, lang="en")

rules = Rules(rate=None, **json.loads(asked("rules", "{}")))
chat = Chat("chat", room=Lab().room(asked("room", "lobby"), rules=rules))
chat.ui(done="Continue")


@render.text
def told():
    until = chat.deadline()
    return f"{chat.state()}, {'may go' if chat.gate() else 'must stay'}, {until and until.tzinfo}"


@render.text
def members():
    return ", ".join(sorted(m.pseudonym for m in chat.members())) or "nobody"


@render.text
def turn():
    has_it = chat.turn()
    return "nobody" if has_it is None else "mine" if has_it.own else has_it.pseudonym


@render.text
def shares():
    return " ".join(f"{share:.2f}" for share in sorted(chat.shares().values()))
