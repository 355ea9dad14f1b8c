# Functions that hear every message, whether or not anybody has the page open.
#
# Shows: an answer to whoever asks for help, once however many pages are open; slow work that is
# not async and stops nobody, with its result in the record; and a callback of one room alone.
# Stop the server in the middle of the slow work and start it again: it goes on by itself.

import asyncio
import time

from shiny.express import ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Callbacks", lang="en", fillable=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

lab = Lab()
plaza = lab.room("plaza", title="Plaza")
desk = lab.room("desk", title="Front desk: rings for everybody")

with ui.layout_columns(col_widths=(6, 6), fill=True):
    with ui.card():
        Chat("plaza", room=plaza).ui(width="100%", placeholder="Say something, or ask for help...")
    with ui.card():
        Chat("desk", room=desk).ui(width="100%", placeholder="Ring the bell...")


@lab.on_message(rooms="*")  # all rooms, also those that are made later
async def help_whoever_asks(room, member, message):
    if member is None:  # the programme spoke
        return
    if "help" in message.content.lower():
        # The id makes it one answer, also if the server dies right after it and this runs again.
        await room.post(f"{member.pseudonym}, someone will be with you.", id=f"help-{message.seq}")


@lab.on_message(rooms="plaza")
def count_words(room, member, message):  # not async: runs in a thread
    if member is None:
        return
    time.sleep(1)  # stands for a slow analysis; everybody goes on talking
    found = {"words": len(message.content.split()), "again": message.is_repeat}
    asyncio.run(room.record("words", {"of": message.seq, **found}, member=member))


@desk.on_message
async def ring(room, member, message):
    if member is not None:
        await plaza.announce("The bell rings at the front desk.")
