"""A page with one room, whose session can keep others from going on, and tell them something."""

from __future__ import annotations

import asyncio

from shiny import App, Inputs, Outputs, Session, reactive, render, ui

from shiny_labchat import Chat, Lab, chat_ui

lab = Lab()
told = reactive.value("nothing", name="told")

page = ui.page_fillable(chat_ui("chat"), ui.output_text("heard"))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    Chat("chat", room="page", study="tests", lab=lab)

    @reactive.effect
    @reactive.event(input.keep)
    async def keep() -> None:
        told.set("busy")
        await reactive.flush()
        never = asyncio.get_running_loop().create_future()
        await asyncio.wait([never], timeout=input.keep())  # Shiny's lock is held

    @reactive.effect
    @reactive.event(input.tell)
    def tell() -> None:
        told.set(input.tell())

    @render.text
    def heard() -> str:
        return told()


app = App(page, server)
