# Three people, and in half of the groups a moderator: a model, or a script without OPENAI_API_KEY.
#
# Shows: a disclosed Bot that writes at set times, before the end, and when one of them talks most;
# in the other condition its shadow decides the same, and says nothing. Open it in three browsers.

import os

from shiny.express import render, ui

from shiny_labchat import Bot, Lobby, Rules, Study
from shiny_labchat.bots import At, BeforeClose, Budget, Unequal
from shiny_labchat.express import Chat

ui.page_opts(title="With a moderator", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

TASK = "Which of three charities should get 100 euros: for children, for animals, or for science?"


def model():
    from chatlas import ChatOpenAI  # made when it is first needed

    return ChatOpenAI(system_prompt=f"You moderate: {TASK} Be brief, and never take sides.")


def script(messages):
    return "What do the others think?" if messages else f"Welcome! {TASK}"


def moderator(**options):
    is_model = bool(os.environ.get("OPENAI_API_KEY"))
    says = {"client": model, "budget": Budget(money=5.0)} if is_model else {"respond": script}
    when = [At(2, 300), BeforeClose(60), Unequal(0.5, window=120, wait=60)]
    shown = {"pseudonym": "Moderator", "disclose": True, "typing": None}
    return Bot("moderator", when=when, **shown, **says, **options)


study = Study("moderated", seed=16, contact="lab@example.org", currency="EUR")
study.consent("You will discuss with two others where money should go.", version="1")
bots = {"moderated": [moderator()], "alone": [moderator(shadow=True)]}
groups = {"group_size": 3, "conditions": [*bots], "balance": "rotate", "bots": bots}
lobby = Lobby("lobby", study=study, rules=Rules(duration=600, ends="all_done"), **groups)
chat = Chat("chat", room=lobby.room)


@lobby.when_closed
async def pay(room, members):
    if max((await room.shares()).values()) < 0.5:
        for member in members:
            await member.pay("equal", 1.00)


@render.express(fill=True, fillable=True)
def page():
    if chat.state() == "open":
        chat.ui(done="We have decided")
    elif chat.state() == "closed" and not study.person().ended:
        study.form("after", ui.input_text("won", "Where should it go?"), end="complete")
    else:
        lobby.ui()  # consent, waiting for the group or for the others of it, and the end
