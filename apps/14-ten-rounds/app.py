# A public goods game: ten rounds with changing partners (oTree's public_goods, with a chat).
#
# Shows: a Lobby with a cohort, whose people are grouped anew in each round and never with the same
# ones twice in a row; answers that are those of one round; pay for each round, once; the next round
# begins by itself. Open the page in four tabs. In a real session: cohort=24, group_size=4.

from shiny.express import render, ui

from shiny_labchat import Lobby, Study
from shiny_labchat.express import Chat

ui.page_opts(title="Ten rounds", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

ROUNDS, POINTS, FACTOR = 10, 20, 1.6

study = Study("ten-rounds", seed=7, currency="EUR")
lobby = Lobby(
    "lobby",
    study=study,
    cohort=4,
    group_size=2,
    rounds=ROUNDS,
    rematch="strangers",
    next_on="seen",  # the form of this name, below: once all of the cohort have sent it
    within=60,  # who has not sent it a minute after the first one is not waited for
    identity="tab",
)
chat = Chat("chat", room=lobby.room)  # each group has a new room in each round


@lobby.when_all("gift")  # once for each group and round, whichever process it is
async def pay(room, members):
    gifts = [int(each.data["gift"]["gift"]) for each in members]
    share = FACTOR * sum(gifts) / len(gifts)
    for member, gift in zip(members, gifts, strict=True):
        points = round(POINTS - gift + share, 1)
        await member.pay(f"round {room.round}", round(points / 100, 2))
        await member.record("result", {"points": points, "share": round(share, 1)})


@render.express(fill=True, fillable=True)
def page():
    number, mine = lobby.round(), {each.kind: each.data for each in chat.records(mine=True)}
    if lobby.room() is None:
        lobby.ui()
    elif "gift" not in mine:  # chat.records() has what was recorded in this round
        chat.ui(placeholder="Talk before you give...")
        gift = ui.input_numeric("gift", f"You have {POINTS} points. Give to the group:", 0, min=0)
        study.form("gift", gift, submit=f"Give (round {number} of {ROUNDS})")
    elif not chat.all_have("gift", within=60) or "result" not in mine:
        lobby.ui()  # it says for how long the others are waited for
    elif "seen" not in mine:
        ui.markdown(f"You have **{mine['result']['points']}** points in round {number}.")
        is_last = number == ROUNDS
        study.form(
            "seen", submit="Finish" if is_last else "Go on", end="complete" if is_last else None
        )
    else:
        lobby.ui()
