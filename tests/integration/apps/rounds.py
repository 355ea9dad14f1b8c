"""A public goods game in rounds; a test says by its environment how it is."""

import json
import os

from shiny.express import render, ui

from shiny_labchat import Lobby, Study
from shiny_labchat.express import Chat

said = json.loads(os.environ.get("ROUNDS", "{}"))
ROUNDS = said.get("rounds", 10)
study = Study("game", seed=3, currency="EUR", params=("PID",))
study.consent("In each round you may give to your group.", version="1")
study.ends({"complete": "DONE1", "idle": "IDLE2"})
usual = {"cohort": 24, "group_size": 4, "rounds": ROUNDS, "rematch": "strangers", "within": 15}
lobby = Lobby(
    "lobby", study=study, next_on="seen", **{**usual, **said.get("lobby", {})}, ready=None
)
chat = Chat("chat", room=lobby.room)


@lobby.when_all("gift")
async def pay(room, members):
    gifts = [int(each.data["gift"]["gift"]) for each in members]
    for member, gift in zip(members, gifts, strict=True):
        cents = 20 - gift + 2 * sum(gifts) // len(gifts)
        await member.pay(f"round {room.round}", cents / 100)
        await member.record("result", {"cents": cents, "round": room.round})


@render.express
def page():
    number, mine = lobby.round(), {each.kind: each.data for each in chat.records(mine=True)}
    if lobby.room() is None:
        lobby.ui()
    elif "gift" not in mine:
        ui.h2(f"Give in round {number}.")
        study.form("gift", ui.input_numeric("gift", "Give:", 0))
    elif not chat.all_have("gift", within=said.get("within", 15)) or "result" not in mine:
        ui.h2(f"Wait in round {number}.")
    elif "seen" not in mine:
        ui.h2(f"Result of round {number}.")
        study.form("seen", end="complete" if number == ROUNDS else None)
    else:
        ui.h2(f"Seen round {number}.")
        lobby.ui()
