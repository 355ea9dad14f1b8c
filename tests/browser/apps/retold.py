# What programmes say is shown as the app makes it: whole, or `?grows` piece by piece.

from _asked import asked
from shiny.express import render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Retold", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"))
chat.ui()

if asked("grows"):

    @chat.transform_assistant_response
    def growing(content: str, chunk: str, done: bool):
        return content + (" The end." if done else "")

else:

    @chat.transform_assistant_response
    def whole(content: str):
        if content == "as html":
            return ui.HTML(f"<b class='made'>made</b> of {content}")
        return f"Made of `{content}`"


@chat.on_user_submit
async def _():
    text = chat.user_input() or ""
    if asked("grows"):
        await chat.append_message_stream(text.split("|"))
    else:
        await chat.append_message(text)


@render.text
def appended():
    return " / ".join(f"{m.role}: {m.content}" for m in chat.messages())


@render.text
def shown():
    return " / ".join(f"{m.role}: {m.content}" for m in chat.messages(transform_assistant=True))
