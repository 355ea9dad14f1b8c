# A whole online study: from the recruiter's link to the recruiter's code.
#
# Shows: consent with a statement that people may agree to, a questionnaire, a waiting room for
# two or three, five minutes of talk with a countdown, a question, the debriefing, and an end for
# each way of leaving. Participants come with what Prolific adds to the address; try it with
#     http://127.0.0.1:8000/?PROLIFIC_PID=ann&STUDY_ID=pilot&SESSION_ID=1
# and another PROLIFIC_PID in a private window. Afterwards, in this folder:
#     labchat ends --study charity
#     labchat pay --study charity --prolific

from shiny.express import render, ui

from shiny_labchat import End, Lobby, Rules, Study
from shiny_labchat.express import Chat

ui.page_opts(title="A talk about charity", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

CONSENT = """
You will talk to one or two other people for **five minutes**, about where to give money.

- It takes 10 minutes in all. You are paid 2.00 dollars.
- What you write is stored without your name.
- You may stop at any time, without giving a reason.
"""
DEBRIEF = """
We wanted to know how groups agree. Some groups were told to *find a compromise*, others that
*only one can be right*. Thank you for helping us.
"""
TOPIC = {
    "calm": "Please agree on one charity that gets the money.",
    "heated": "Only one of you can be right. Which charity should get the money, and why?",
}
AGES = ["18 to 29", "30 to 59", "60 or older"]
GIVES = ["Yes", "No"]

study = Study("charity", seed=7, contact="lab@example.org")
study.consent(CONSENT, version="2026-11", items={"share": "My words may be published."})
study.debrief(DEBRIEF)
study.ends(
    "prolific",
    complete="C1ABC",
    no_consent=End("NC01", pay="none"),
    # 0.50 is instead of the reward, so this code must not approve it at Prolific's
    lobby_timeout=End("LT22", pay=0.50, text="Nobody else has come in time. Sorry!"),
    group_dissolved=End("GD33", pay="full"),
    withdrew=End("WD44", pay="partial"),
    idle=End("ID55", pay="none"),
    not_ready=End("NR66", pay="none"),
    removed=End(pay="none"),
)
lobby = Lobby(
    "lobby",
    study=study,
    group_size=(2, 3, 3),  # two at least, ideally three
    conditions=["calm", "heated"],
    rules=Rules(duration=300, min_messages=3, ends="all_done"),
)
chat = Chat("chat", room=lobby.room)


@lobby.after_grouping
async def begin(room, members):
    await room.announce(TOPIC[room.condition])


@render.express(fill=True, fillable=True)
def page():
    person, state = study.person(), chat.state()
    if person is None or person.ended:
        study.ui()
    elif "about" not in person.data:
        study.form(
            "about",
            ui.input_radio_buttons("age", "How old are you?", AGES, selected=""),
            ui.input_radio_buttons("gives", "Did you give money last year?", GIVES, selected=""),
        )
    elif state == "open":
        chat.ui(done="Continue")  # dead until three messages are written
    elif state in ("done", "closed"):
        why = ui.input_text_area("why", "What did you agree on, and why?", rows=4)
        study.form("decision", why, submit="Finish", end="complete")
    else:
        lobby.ui()
