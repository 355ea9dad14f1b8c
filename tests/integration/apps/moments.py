"""A function and a bot that are called at set times; the time is in the environment."""

from __future__ import annotations

import os

from shiny.express import ui

from shiny_labchat import Bot, Lab, Room
from shiny_labchat.bots import At
from shiny_labchat.express import Chat

AFTER = float(os.environ["AFTER"])

lab = Lab()
chat = Chat("chat", room=lab.room("page", study="tests"))
chat.ui()
ui.p("A page")

bot = Bot("machine", respond=lambda messages: "It is time.", when=At(AFTER), typing=None)
lab.add_bot(bot, rooms="r*")


@lab.at(rooms="r*", after=AFTER)
async def announce(room: Room):
    await room.announce(f"Time, says {os.getpid()}.")


@lab.at(rooms="r*", after=AFTER, name="fails")
def fails(room: Room):
    raise RuntimeError("it cannot")
