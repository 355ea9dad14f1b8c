"""
A support group: for two weeks four people write to each other, from eight to ten in the evening.

A helper, which is a program, writes at the beginning and after a week; the app says when one day is
left. People are paid for each day on which they have written.
"""

from shiny.express import render, ui

from shiny_labchat import Bot, End, Lab, Lobby, Rules, Study
from shiny_labchat.bots import At
from shiny_labchat.express import Chat

DAY = 24 * 3600

lab = Lab()
study = Study("support", lab=lab, seed=5, contact="lab@example.org", currency="EUR", params=["PID"])
study.consent("You will write in a group of four for two weeks, whenever you like.", version="1")
study.debrief("We wanted to know how people help each other.")
study.ends({"complete": End("DONE", pay=5), "withdrew": End("LEFT", pay="partial")})
helper = Bot(
    "helper",
    respond=lambda messages: "How are you?",
    pseudonym="Helper",
    disclose=True,
    when=At(60, 7 * DAY),
    typing=None,
)
rules = Rules(
    hours=("08:00", "22:00", "Europe/Berlin"), closes_at="2027-04-05T22:00+02:00", warn=(DAY,)
)
lobby = Lobby("lobby", study=study, group_size=4, ready=None, bots=[helper], rules=rules)
chat = Chat("chat", room=lobby.room)


@lab.at(rooms="lobby-*", before_close=DAY)
async def remind(room):
    await room.announce("One day is left.")


@lobby.when_closed
async def pay(room, members):
    said = await room.messages()
    for member in members:
        days = {each.at.date() for each in said if each.member == member.id}
        await member.pay("days", 0.50 * len(days))


@render.express
def page():
    person, state = study.person(), chat.state()
    if state == "open":
        chat.ui()
    elif state == "closed" and person is not None and not person.ended:
        study.form("after", ui.input_text("helped", "What has helped you?"), end="complete")
    else:
        lobby.ui()
