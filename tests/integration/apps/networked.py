"""A chat whose handler says what a model would be told, in a room whose network others change."""

from __future__ import annotations

from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, Lab, Rules, chat_ui

room = Lab().room("networked", study="tests", rules=Rules(rate=None))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat, and have it answer."""
    chat = Chat("chat", room=room)

    @chat.on_user_submit
    async def answer(text: str) -> None:  # pyright: ignore[reportUnusedFunction]
        told = " + ".join(turn.text for turn in chat.turns())
        await chat.append_message(f"told before {text}: {told}")
        await chat.append_message_stream([f"streamed after {text}"])


app = App(ui.page_fillable(chat_ui("chat")), server)
