# A hidden profile: three people know different things, and decide together.
#
# Shows: two crossed conditions; parts, with different information for each; a question before the
# wait; choices that all wait for; a bonus for a group that agrees. Open it in three browsers.

from shiny.express import render, ui

from shiny_labchat import Lobby, Rules, Study
from shiny_labchat.express import Chat

ui.page_opts(title="Whom to hire", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

CARDS = {"a": "X speaks Finnish. ", "b": "Y was late twice. ", "c": "X has a patent. "}
CANDIDATES = {"X": "Candidate X", "Y": "Candidate Y"}

study = Study("hiring", seed=11, contact="lab@example.org", currency="EUR")
study.consent("You will decide with two others whom to hire.", version="1")
study.debrief("In some groups each card was given to one person only. We study who mentions it.")
factors = {"profile": ["hidden", "shared"], "leader": ["yes", "no"]}
rules = Rules(duration=420, min_messages=1, ends="all_done")
parts = dict.fromkeys(CARDS, 1)  # in each group one person has each part
lobby = Lobby("lobby", study=study, group_size=3, parts=parts, conditions=factors, rules=rules)
chat = Chat("chat", room=lobby.room)


@lobby.after_grouping
async def begin(room, members):
    if room.condition["leader"] == "yes":
        await room.announce(f"{members[0].pseudonym} leads this group.")


@lobby.when_all("choice")  # when all of a group have chosen, or the time for that is over
async def pay(room, members):
    choices = [each.data["choice"] for each in await room.records("choice")]
    if len(members) == 3 and set(choices) == {"X"}:
        for member in members:
            await member.pay("agreed", 2.00)


@render.express(fill=True, fillable=True)
def page():
    person, state = study.person(), chat.state()
    if person is None or person.ended:
        study.ui()  # consent, and the end
    elif "before" not in person.data:
        trust = ui.input_slider("trust", "How much do you trust groups?", 0, 10, 5)
        study.form("before", trust, touched=["trust"])  # a slider has a value from the beginning
    elif state == "open":
        knows = CARDS.values() if person.condition["profile"] == "shared" else [CARDS[person.part]]
        ui.p("You know: ", *knows, style="width: min(42rem, 100%); margin: 0 auto;")
        chat.ui(done="We have decided")
    elif state in ("done", "closed") and "choice" not in person.data:
        asked = "Whom does your group hire?"
        study.form("choice", ui.input_radio_buttons("choice", asked, CANDIDATES, selected=""))
    elif state == "closed" and chat.all_have("choice", within=120):
        sure = ui.input_slider("sure", "How sure are you?", 0, 10, 5)
        study.form("after", sure, submit="Finish", end="complete", touched=["sure"])
    else:
        lobby.ui()  # waiting for a group, or for the others of the group
