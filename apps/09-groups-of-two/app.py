# Two people who wait become a group, and talk in a room of their own (uproot's GroupPlease).
#
# Shows: a Lobby, which draws what its people wait for; the room that it gives them; a function
# that prepares each group's room before anybody sees it. Open the page in two tabs: here each tab
# is a person of its own. Without identity="tab" each browser is one, in all of its tabs.

from shiny.express import render, ui

from shiny_labchat import Lobby
from shiny_labchat.express import Chat

ui.page_opts(title="Groups of two", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

lobby = Lobby("lobby", study="pairs", group_size=2, identity="tab")
chat = Chat("chat", room=lobby.room)  # waits until there is one


@lobby.after_grouping  # once for each group, whichever process forms it
async def greet(room, members):
    ann, bob = members
    hello = f"Hello {ann.pseudonym} and {bob.pseudonym}."
    await room.announce(f"{hello} Which film should everybody see?")


@render.express(fill=True, fillable=True)
def page():
    if lobby.room() is None:
        lobby.ui()
    else:
        chat.ui(placeholder="Write to the other one...")
