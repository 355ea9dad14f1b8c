# A model in the room: everybody sees its replies grow, and can write meanwhile.
#
# Shows: Chat(client=) with a chatlas client, whose conversation is the room's, with names; a tool;
# and, without an OPENAI_API_KEY, a script that streams in the model's place and says so.

import asyncio
import os
import random

from shiny.express import ui

from shiny_labchat.express import Chat

ui.page_opts(title="A model in the room", lang="en", fillable=True, fillable_mobile=True)
ui.input_dark_mode(hidden=True)  # light or dark, as the system prefers


def dice(sides: int = 6) -> int:
    """Roll dice for the group."""
    return random.randint(1, sides)


def model():
    if not os.environ.get("OPENAI_API_KEY"):
        return None
    from chatlas import ChatOpenAI

    client = ChatOpenAI(system_prompt="You moderate a group discussion. Be brief, use names.")
    client.register_tool(dice)
    return client


client = model()
chat = Chat("chat", client=client, reply="mention")
chat.ui(
    messages=["Talk to each other. I answer who writes **@assistant**."],
    placeholder="Write to the group, or to @assistant...",
)

SCRIPT = """
I am a **script**, not a model: there is no `OPENAI_API_KEY` here. But I stream as one does, while
you go on writing, and all who are here watch the same words appear:

| what | how |
|---|---|
| several replies at once | side by side, each in its place |
| who comes late | sees what was said, then the rest |
| the button | stops me |
"""


async def script():
    for word in SCRIPT.split(" "):
        yield word + " "
        await asyncio.sleep(0.06)


@chat.on_user_submit
async def answer(text: str):
    if client is None and "@assistant" in text.lower():
        await chat.append_message_stream(script())
