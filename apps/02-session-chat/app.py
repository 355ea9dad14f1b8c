# One room for a whole session of an experiment, with numbered pseudonyms.
#
# Shows: a room of a study, a pseudonym template, who is here as a reactive value, and a handler
# that answers one person without others seeing it.

from shiny.express import render, ui

from shiny_labchat import Lab
from shiny_labchat.express import Chat

ui.page_opts(title="Session chat", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers

lab = Lab()  # one per database and process, however often this line runs
room = lab.room("general", study="pilot", title="General discussion")
chat = Chat("chat", room=room, pseudonym="Player {n}")


@render.text
def players():
    me = chat.member()
    if me is None:
        return "Joining..."
    others = [member.pseudonym for member in chat.members() if not member.own]
    return f"You are {me.pseudonym}. With you: {', '.join(others) or 'nobody yet'}."


chat.ui(placeholder="Say something, or ask for help...")


@chat.on_user_submit
async def answer_calls_for_help(text: str):
    if "help" in text.lower():
        await chat.append_message("Someone will be with you.", audience="me")
