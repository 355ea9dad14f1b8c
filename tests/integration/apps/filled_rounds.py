"""Three rounds in pairs, whose empty places a bot fills that answers whatever it reads."""

from shiny.express import render, ui

from shiny_labchat import Bot, End, Lobby, Study
from shiny_labchat.express import Chat

ROUNDS = 3
study = Study("filled", seed=5, currency="EUR")
study.consent("You will talk to another one in each round.", version="1")
study.debrief("We wanted to know who notices.")
study.ends({"complete": End("DONE1", debrief=True)})
secret = Bot("secret", respond=lambda heard: f"Heard: {heard[-1].content}", reading=None)
lobby = Lobby(
    "lobby",
    study=study,
    cohort=4,
    rounds=ROUNDS,
    rematch="strangers",
    next_on="seen",
    short="stand_in",
    stand_ins=[secret],
    ready=None,
)
chat = Chat("chat", room=lobby.room)


@lobby.when_all("seen")
async def pay(room, members):
    for member in members:
        await member.pay(f"round {room.round}", 0.50)


@render.express
def page():
    if lobby.room() is None:
        lobby.ui()
    elif "seen" not in {each.kind for each in chat.records(mine=True)}:
        ui.h2(f"Talk in round {lobby.round()}.")
        chat.ui()
        study.form("seen", end="complete" if lobby.round() == ROUNDS else None)
    else:
        lobby.ui()
