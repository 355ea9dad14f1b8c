# A handler that does what it is told: wait, fail, block, count, read.

import time
from typing import Any, cast

from _asked import asked
from _gates import gates
from shiny import reactive
from shiny.express import input, render, ui
from shiny.types import NotifyException

from shiny_labchat.express import Chat

ui.page_opts(title="Handlers", fillable=True, lang="en")

room = asked("room", "lobby")
counted = reactive.value(0, name="counted")
chat = Chat("chat", room=room, on_error=cast(Any, asked("on_error", "auto")))

ui.input_text("suffix", "Suffix", "as given")


@render.text
def count():
    return f"counted {counted()}"


chat.ui()


@chat.on_user_submit
async def obey(text: str):
    match text.split():
        case ["wait"]:
            await gates[room].wait()
            await chat.append_message("waited")
        case ["go", "on"]:
            gates[room].set()
        case ["fail"]:
            raise ValueError("the handler broke at line 7")
        case ["time", "out"]:
            raise TimeoutError
        case ["notify"]:
            raise NotifyException("You have been here before.", sanitize=False)
        case ["block"]:
            time.sleep(2)  # noqa: ASYNC251 - the fault that is to be noticed
            await chat.append_message("blocked")
        case ["count"]:
            counted.set(counted() + 1)
        case ["read"]:
            await chat.append_message(f"suffix: {input.suffix()}")
        case ["pin", *_]:
            await gates[room].wait()
            known = chat.messages()
            await chat.append_message(f"last of {len(known)}: {known[-1].content}")
        case _:
            pass
