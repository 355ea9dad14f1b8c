# Streams by hand, alone and inside others, and what the latest stream has come to.

from _asked import asked
from shiny import reactive
from shiny.express import input, render, ui

from shiny_labchat.express import Chat

ui.page_opts(title="Nested", fillable=True, lang="en")

chat = Chat("chat", room=asked("room", "lobby"))

with ui.div():
    for button in "alone replaced inside inside_replaced after_nothing in_a_stream broken".split():
        ui.input_action_button(button, button)

chat.ui()


@render.text
def status():
    return chat.latest_message_stream.status()


@render.text
def result():
    return chat.latest_message_stream.result()


@render.text
def said():
    return " / ".join(message.content for message in chat.messages())


@reactive.effect
@reactive.event(input.alone)
async def _():
    async with chat.message_stream_context() as stream:
        await stream.append("All ")
        await stream.append("alone")


@reactive.effect
@reactive.event(input.replaced)
async def _():
    async with chat.message_stream_context() as stream:
        await stream.append("All ")
        await stream.append("wrong")
        await stream.replace("Better")


@reactive.effect
@reactive.event(input.inside)
async def _():
    async with chat.message_stream_context() as outer:
        await outer.append("before ")
        async with chat.message_stream_context() as inner:
            await inner.append("inside ")
            await inner.append("still ")
        await outer.append("after")


@reactive.effect
@reactive.event(input.inside_replaced)
async def _():
    async with chat.message_stream_context() as outer:
        await outer.append("before ")
        async with chat.message_stream_context() as inner:
            await inner.append("wrong ")
            await inner.replace("right ")
        await outer.append("after")


@reactive.effect
@reactive.event(input.after_nothing)
async def _():
    async with chat.message_stream_context() as outer:
        await outer.append("before ")
        await outer.replace("")
        async with chat.message_stream_context() as inner:
            await inner.append("inside ")
        await outer.append("after")


async def looked_up():
    async with chat.message_stream_context() as inner:
        await inner.append("looking ")
        await inner.append("it up ")
        await inner.replace("found ")


async def spoken():
    yield "before "
    await looked_up()
    yield "after"


@reactive.effect
@reactive.event(input.in_a_stream)
async def _():
    await chat.append_message_stream(spoken())


async def breaking():
    yield "so far"
    raise RuntimeError("the stream broke")


@reactive.effect
@reactive.event(input.broken)
async def _():
    await chat.append_message_stream(breaking())
