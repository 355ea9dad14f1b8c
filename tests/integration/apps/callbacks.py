"""Callbacks that answer, hang, fail and block; what they are at is said in the room."""

from __future__ import annotations

import asyncio
import os
import threading

from shiny.express import ui

from shiny_labchat import Lab, Member, Message, Room
from shiny_labchat.express import Chat

lab = Lab()
chat = Chat("chat", room=lab.room("page", study="tests"))
chat.ui()
ui.p("A page")


@lab.on_message()
async def answer(room: Room, member: Member | None, message: Message):
    match message.content.split():
        case ["hang", _] if not message.is_repeat:
            await room.post(f"hangs {os.getpid()}")
            await asyncio.Event().wait()
        case ["block", _] if not message.is_repeat:
            await room.post(f"blocks {os.getpid()}")
            await asyncio.to_thread(threading.Event().wait)
        case ["die", *_]:
            os._exit(1)
        case [_, word] if member is not None:
            again = " again" if message.is_repeat else ""
            await room.post(f"{member.id}: {word}{again}")
        case _:
            pass


@lab.on_message(rooms="sync-*")
def thread(room: Room, member: Member | None, message: Message):
    if member is not None and not message.is_repeat:
        asyncio.run(room.post(f"blocks {os.getpid()}"))
        threading.Event().wait()
