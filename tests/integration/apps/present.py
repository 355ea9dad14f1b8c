"""Says in a room of its own whose presence has changed in others, and in which process."""

from __future__ import annotations

from shiny.express import ui

from shiny_labchat import Lab, Member, Room
from shiny_labchat.express import Chat

lab = Lab()
chat = Chat("chat", room=lab.room("page", study="tests"))
chat.ui()
ui.p("A page")


@lab.on_presence("asking-*")
async def tell(room: Room, member: Member, state: str):
    await lab.room("told", study="tests").post(f"{room.id} {member.id} {state}")
