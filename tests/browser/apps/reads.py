# Outputs that show what a chat can be asked.

from _asked import asked
from shiny.express import render, ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Reads", fillable=True, lang="en")

chat = Chat("chat", room=Lab().room(asked("room", "lobby")), pseudonym="Player {n}")
chat.ui()


@render.text
def said():
    return " / ".join(f"{m.author}: {m.content}" for m in chat.messages()) or "nothing"


@render.text
def members():
    return ", ".join(m.pseudonym + ("*" if m.own else "") for m in chat.members()) or "nobody"


@render.text
def me():
    member = chat.member()
    return "unknown" if member is None else member.pseudonym


@render.text
def state():
    return chat.state()


@render.text
def last_input():
    return repr(chat.user_input())
