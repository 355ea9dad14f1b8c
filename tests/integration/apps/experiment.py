"""A study with a form, a lobby, a barrier and pay; a test says by its environment how it is."""

import json
import os
from typing import Any

from shiny.express import render, ui

from shiny_labchat import Bot, Lobby, Study
from shiny_labchat.bots import At
from shiny_labchat.express import Chat

said = json.loads(os.environ.get("EXPERIMENT", "{}"))
study = Study(
    "experiment", seed=3, contact="lab@example.org", params=("PID",), **said.get("study", {})
)
if "consent" in said:
    study.consent("You will choose.", version=said["consent"])
if "debrief" in said:
    study.debrief(said["debrief"])
study.ends({"complete": "DONE1", "idle": "IDLE2"})
at_once: Any = {"respond": lambda messages: "beep", "reading": None, "typing": None}
bots = [Bot("secret-machine", when=["message", At(0)], **at_once)] if said.get("bot") else []
lobby = Lobby(
    "lobby",
    study=study,
    **{"group_size": 2, "settle": 0, "ready": None, "rooms": "secret-room-{n}"}
    | said.get("lobby", {}),
    bots={said["bot_in"]: bots} if "bot_in" in said else bots,
)
chat = Chat("chat", room=lobby.room)


@lobby.when_all("choice")
async def pay(room, members):
    # Who is left alone in the group is led out at once, and then not among `room.records()`.
    choices = [member.data["choice"]["choice"] for member in members]
    for member, mine in zip(members, choices, strict=True):
        await member.pay("group", choices.count(mine) * 0.25 + len(members) * 0.01)


async def choose_for(person):
    await person.record("choice", {"choice": "default"})


late: Any = choose_for if said.get("late") == "choose" else "end"


def choose():
    return study.form("choice", ui.input_radio_buttons("choice", "Which?", ["X", "Y"]))


@render.express
def page():
    person, state = study.person(), chat.state()
    if said.get("form") == "always":
        choose()
    if said.get("form") == "first" and (person is None or "choice" not in person.data):
        choose()
        study.ui()
    elif state == "open" and person is not None and "choice" not in person.data:
        chat.ui()
        choose()
    elif state == "open" and chat.all_have("choice", said.get("within", 120), late):
        ui.h2("All have chosen")
        study.form("after", ui.input_text("why", "Why?"), end="complete")
    else:
        lobby.ui()
