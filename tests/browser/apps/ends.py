# A study that has a code for each end, and lobbies and forms by which each of them comes soon.
# The study "few" has a code for one end only, the study "keeps" asks whether it may keep the data.

from _asked import asked
from shiny.express import render, ui

from shiny_labchat import End, Lobby, Rules, Study
from shiny_labchat.domain.ends import REASONS
from shiny_labchat.express import Chat

PAY = {"complete": "full", "no_consent": "none", "lobby_timeout": 1.5}
LOBBIES = {
    "plain": {},
    "brief": {"max_wait": 3, "extends": 0},
    "calls": {"ready": 2},
    "asks": {"idle_prompt": (1, 2)},
    "small": {"capacity": 1},
    "patient": {"max_wait": 1800, "idle_prompt": None},
}

ui.page_opts(title="A study", lang="en")
study = Study(
    asked("study", "ends"),
    contact="lab@example.org",
    params=["PROLIFIC_PID"],
    exclude=[] if asked("study") == "earlier" else ["earlier"],
    currency="GBP",
)
study.consent("You will talk to one other person.", version="1")
study.debrief("We wanted to know **how** people leave.", keep=asked("study") == "keeps")
given = ["complete"] if asked("study") == "few" else REASONS
study.ends({each: End(code=f"CODE-{each}", pay=PAY.get(each, "partial")) for each in given})
lobbies = {
    id: Lobby(id, study=study, rules=Rules(duration=300), **{"ready": None, **options})
    for id, options in LOBBIES.items()
}
lobby = lobbies[asked("lobby", "plain")]
chat = Chat("chat", room=lobby.room)


@render.express
def page():
    person = study.person()
    if person is None or person.ended:
        study.ui()
    elif asked("end"):
        study.form("leave", ui.input_text("why", "Why?"), submit="Leave", end=asked("end"))
    elif chat.state() == "open":
        chat.ui()
    else:
        lobby.ui()
