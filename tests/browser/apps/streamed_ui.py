# One stream of developers' own HTML, which does what people tell it.

import asyncio

from _asked import asked
from _told import told
from htmltools import HTML
from shiny.express import ui

from shiny_labchat import Lab, Rules
from shiny_labchat.express import Chat

ui.page_opts(title="Streamed UI", fillable=True, lang="en")

name = asked("room", "lobby")
chat = Chat("chat", room=Lab().room(name, rules=Rules(rate=None)))
chat.ui()


async def said():
    orders = told[name, "stream"]
    rest = None
    while True:
        order, _, words = (await orders.get()).partition(" ")
        match order:
            case "html":
                yield HTML(words)
            case "words":
                yield words
            case "tag":
                yield ui.tags.p(words)
            case "input":
                yield ui.input_text(words, words)
            case "hurries":
                n = 0
                while orders.empty():
                    n += 1
                    yield HTML(f"<b>w{n}</b> ")
                    await asyncio.sleep(0.05)
            case "from-here":
                async with chat.message_stream_context() as rest:
                    pass
            case "instead":
                assert rest is not None
                await rest.replace(words)
            case _:
                return


@chat.on_user_submit
async def follow(text: str):
    if text == "open":
        await chat.append_message_stream(said())
    else:
        told[name, "stream"].put_nowait(text)
