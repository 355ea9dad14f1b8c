# A ring: four people of whom each hears two others. One knows a word, which they pass on.
#
# Shows: a network, which says who hears whom; chat.members(), which has those whom somebody hears,
# as nobody is shown anything of the others; parts; and a form that all wait for. Open it in four
# browsers, or private windows.

from shiny.express import render, ui

from shiny_labchat import Lobby, Rules, Study
from shiny_labchat.express import Chat

ui.page_opts(title="Pass it on", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

WORD = "lighthouse"

study = Study("ring", seed=5, contact="lab@example.org", currency="EUR")
study.consent("You will talk to two of three others.", version="1")
study.debrief("You were four in a ring. We study how far a word comes.")
lobby = Lobby(
    "lobby",
    study=study,
    group_size=4,
    parts={"source": 1, "other": 3},
    network="ring",  # in the order that was drawn: each hears the one before and the one after
    rules=Rules(duration=240, max_length=200, ends="all_done"),
)
chat = Chat("chat", room=lobby.room)


@lobby.after_grouping
async def begin(room, members):
    await room.announce("One of you knows a word. Find it out, and pass it on.")  # heard by all


@lobby.when_all("word")
async def pay(room, members):
    for member in members:
        is_right = member.data["word"]["word"].strip().lower() == WORD
        await member.pay("word", 1.00 if is_right else 0.00)
        await member.end("complete")


@render.express(fill=True, fillable=True)
def page():
    person, state = study.person(), chat.state()
    if person is None or person.ended:
        study.ui()  # consent, and the end
    elif state == "open":
        names = [member.pseudonym for member in chat.members() if not member.own]
        knows = f"The word is {WORD}. " if person.part == "source" else ""
        told = f"{knows}You hear {' and '.join(names)}."
        ui.p(told, style="width: min(42rem, 100%); margin: 0 auto;")
        chat.ui(done="I know the word")
    elif state in ("done", "closed") and "word" not in person.data:
        study.form("word", ui.input_text("word", "What is the word?"))
    else:
        lobby.ui()  # waiting for a group, or for the others of the group
