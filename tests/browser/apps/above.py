# A chat below a long text, in a page that is filled on phones, too: `?text=` says what it is in.

from _asked import asked
from shiny.express import render, ui

from shiny_labchat import Lab, Rules, Study
from shiny_labchat.express import Chat

ui.page_opts(title="Whom to hire", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)

WORDS = "Candidate X speaks Finnish, and has worked in a harbour for seven years. "
study = Study("above")
room = Lab().room(asked("room", "lobby"), study=study, rules=Rules(min_messages=2))
chat = Chat("chat", room=room)


@render.express(fill=True, fillable=True)
def page():
    if study.person() is None:
        study.ui()
    elif asked("text", "words") == "card":
        with ui.card():
            ui.p(WORDS * 12, id="text")
        chat.ui(done="We have decided")
    else:
        ui.p(WORDS * int(asked("times", "12")), id="text")
        chat.ui(done="We have decided")
