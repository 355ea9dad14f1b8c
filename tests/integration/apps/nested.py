"""Streams inside streams: two chats of a page, in two rooms; what is said begins them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from shiny import App, Inputs, Outputs, Session, reactive, ui

from shiny_labchat import Chat, Lab, Rules, chat_ui

lab = Lab()
FREE = Rules(rate=None)
rooms = {name: lab.room(name, study="tests", rules=FREE) for name in ("left", "right", "same")}
gate = asyncio.Event()
everybody = reactive.Value(0)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chats; what their streams hold waits until somebody says "go"."""
    left = Chat("left", room=rooms["left"])
    right = Chat("right", room=rooms["right"])
    same = Chat("same", room=rooms["left"])

    async def open_until_stopped() -> AsyncIterator[str]:
        async with left.message_stream_context() as stream:
            await stream.append("inside")
        yield ", and after"
        await gate.wait()

    @left.on_user_submit
    async def _(text: str) -> None:
        gate.clear()
        match text:
            case "nested":
                async with left.message_stream_context() as outer:
                    await outer.append("left ")
                    async with right.message_stream_context() as other:
                        await other.append("right ")
                        async with left.message_stream_context() as inner:
                            await inner.append("left again ")
                    async with same.message_stream_context() as another:
                        await another.append("another chat")
                    await outer.append("and again")
            case "everybody":
                is_set = asyncio.Event()

                async def whole() -> AsyncIterator[str]:
                    yield "a stream of its own"
                    await is_set.wait()

                async with left.message_stream_context() as outer:
                    await outer.append("mine")
                    await left.append_message_stream(whole())
                    everybody.set(everybody.get() + 1)
                    is_set.set()  # what is set takes effect when that stream ends
                    await gate.wait()
            case "by hand":
                async with left.message_stream_context() as outer:
                    await outer.append("before")
                    await gate.wait()
                    await outer.append(" after")
                    async with left.message_stream_context() as inner:
                        await inner.append(" and inside")
                await left.append_message("the code went on")
            case "in a stream":
                await left.append_message_stream(open_until_stopped())
            case _:
                pass

    @right.on_user_submit
    async def _() -> None:
        gate.set()

    @reactive.effect
    @reactive.event(everybody, ignore_init=True)
    async def _() -> None:
        async with right.message_stream_context() as stream:
            await stream.append(f"secret of {right.member()}")


app = App(ui.page_fillable(*map(chat_ui, ("left", "right", "same"))), server)
