# A discussion, and a button by which its experimenter takes the data home.
#
# Shows: lab.export, behind a button that only experimenters have, and only they may use. To be one,
# make yourself a personal link:
#     labchat links me --role experimenter --db labchat.db
# Unpack what the button downloads, and make a table of it:
#     python take_home.py discussion

import asyncio
import shutil
import tempfile
from pathlib import Path

from shiny import req
from shiny.express import input, render, ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Take the data home", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

lab = Lab()
room = lab.room("discussion")
chat = Chat("chat", room=room)


def is_experimenter():
    member = chat.member()
    return member is not None and member.role == "experimenter"


chat.ui(placeholder="What should everybody read?")


@render.express
def experimenters():
    if is_experimenter():
        ui.input_checkbox("anonymise", "Random ids in place of members' ids", value=True)

        @render.download(label="Download the data", filename="discussion.zip")
        async def take_home():
            req(is_experimenter())  # they may have been one when the page was made
            with tempfile.TemporaryDirectory() as folder:
                data = Path(folder) / "discussion"
                await lab.export(data, study=room.study, anonymise=input.anonymise())
                packed = await asyncio.to_thread(
                    shutil.make_archive, data, "zip", folder, data.name
                )
                yield await asyncio.to_thread(Path(packed).read_bytes)
