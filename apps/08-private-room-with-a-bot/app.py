# Everybody has a private room with a bot (uproot's chat_with_claude).
#
# Shows: a Bot, which is a member and needs no session: it goes on after a restart, before anybody
# is back. It is in every room whose id begins with "private-", from the room's first moment. With
# an ANTHROPIC_API_KEY it is a model, else a script that says so.
#
# Open the page with ?p=ann to come back to ann's room; without it each page has a room of its own.

import os
from urllib.parse import parse_qs

from shiny import reactive
from shiny.express import render, session, ui

from shiny_labchat import Bot, Lab
from shiny_labchat.bots.bot import Budget
from shiny_labchat.express import Chat

ui.page_opts(title="A private room with a bot", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

SCRIPT = (
    "I am a script, not a model: there is no `ANTHROPIC_API_KEY` here.",
    "You said that already, I think. But I only count: this is my second sentence of three.",
    "That was all I know. Start me again with a key, and a model answers here.",
)


def script(messages):
    """What is said without a model."""
    said = sum(message.member == "claude" for message in messages)
    return SCRIPT[min(said, len(SCRIPT) - 1)]


def model():
    """Made when it is first needed."""
    from chatlas import ChatAnthropic

    return ChatAnthropic(system_prompt="You help participants of a study. Be brief and friendly.")


has_key = bool(os.environ.get("ANTHROPIC_API_KEY"))
bot = Bot(
    "claude",
    client=model if has_key else None,
    respond=None if has_key else script,
    pseudonym="Claude" if has_key else "A script",
    disclose=True,  # shown as what it is; without it, as one more participant
    reading=None,  # nor need it be as slow as people are
    typing=None,
    max_messages=50,
    closing="I have to go now. Thank you for talking to me!",
    budget=Budget(money=5.0),
)
lab = Lab()
lab.add_bot(bot, "private-*")


@reactive.calc
def private():
    """The room of whoever the address names, or of this page."""
    asked = parse_qs(session.clientdata.url_search().removeprefix("?")).get("p", [""])[0]
    return lab.room(f"private-{asked[:50] or session.id}", title="You and the bot")


chat = Chat("chat", room=private)
chat.ui(placeholder="Ask anything...")


@render.express
def state():
    if chat.state() == "open":
        with ui.p(class_="text-muted small"):
            f"{len(chat.messages())} messages in this room."
