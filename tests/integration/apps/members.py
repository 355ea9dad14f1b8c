"""A page that says who is in its room, as its person may know it."""

from __future__ import annotations

from shiny import App, Inputs, Outputs, Session, render, ui

from shiny_labchat import Bot, Chat, Lab, chat_ui

room = Lab().room("members", study="tests")
room.add_bot(Bot("b", respond=lambda heard: None, pseudonym="Bo"))

page = ui.page_fillable(chat_ui("chat"), ui.output_text("members"), ui.output_text("me"))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    chat = Chat("chat", room=room, pseudonym="Ann {n}")

    @render.text
    def members() -> str:
        return ", ".join(f"{each.pseudonym}: {each.role}" for each in chat.members())

    @render.text
    def me() -> str:
        me = chat.member()
        return f"{me.pseudonym}: {me.role}" if me and me.own else ""


app = App(page, server)
