# A chat that is made in an output, and made anew or ended while its handler waits.

from _asked import asked
from _gates import gates
from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Redrawn", fillable=True, lang="en")

room = asked("room", "lobby")
made: list[Chat] = []
for button in ("again", "end"):
    ui.input_action_button(button, button)


@render.express
def page():
    number = input.again()
    chat = Chat("chat", room=room)
    made.append(chat)
    ui.p(f"chat {number}", id="number")
    chat.ui()

    @chat.on_user_submit
    async def _(text: str):
        if text == "go on":
            gates[room].set()
            return
        await gates[room].wait()
        told = " ".join(message.content for message in chat.messages())
        await chat.append_message_stream([f"chat {number} ", f"was told {told}"])
        await chat.append_message("for one", audience="me")


@reactive.effect
@reactive.event(input.end)
def _():
    made[-1].destroy()
