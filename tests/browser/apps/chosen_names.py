# People choose how they are called; names stand in the lobby, the chat, a form and the end.

from shiny.express import render, ui

from shiny_labchat import Bot, End, Lobby, Study
from shiny_labchat.express import Chat

MARKUP = "<img src=x onerror=struck=1>"
ui.page_opts(title="Chosen names", lang="en")
study = Study("names", params=("WHO",), contact=f"{MARKUP} lab@example.org")
study.consent(f"You will talk. {MARKUP}", version="1", items={"share": f"My words. {MARKUP}"})
study.debrief(f"Thank you. {MARKUP}")
study.ends({"complete": End(code="C1", url="https://example.org/?who={WHO}", text=MARKUP)})
machine = Bot("machine", respond=lambda talk: None, pseudonym=f"{MARKUP} machine")
lobby = Lobby("lobby", study=study, ready=None, bots=[machine], title=f"The room {MARKUP}")
chat = Chat("chat", room=lobby.room)


@lobby.after_grouping
async def call(room, members):
    for each in members:
        await room.add_member(each, pseudonym=each.data["called"]["name"])
    await room.announce(
        f"Here are {' and '.join(each.data['called']['name'] for each in members)}."
    )


@render.express
def page():
    person = study.person()
    if person is None or person.ended:
        study.ui()
    elif "called" not in person.data:
        study.form("called", ui.input_text("name", "What are you called?"))
    elif chat.state() == "open":
        ui.p(f"You are called {person.data['called']['name']}.", id="called")
        chat.ui(done=f"Done {MARKUP}")
        others = [each.pseudonym for each in chat.members() if not each.own]
        guess = ui.input_radio_buttons("who", "Who was the machine?", others, selected="")
        study.form("guess", guess, submit=f"Finish {MARKUP}", end="complete")
    else:
        ui.p(f"You will be called {person.data['called']['name']}.")
        lobby.ui()
