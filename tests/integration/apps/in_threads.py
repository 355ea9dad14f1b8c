"""Functions that are not async, and use Shiny: an iterable, and a tool of a model's."""

from __future__ import annotations

import os
from collections.abc import Iterator

from chatlas import ChatOpenAICompletions
from shiny import App, Inputs, Outputs, Session, reactive, render, ui

from shiny_labchat import Chat, Lab, Rules, chat_ui

lab = Lab()
room = lab.room("in-threads", study="tests", rules=Rules(rate=None))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat; what is said to "@assistant" goes to the model, all else to the iterable."""
    client = ChatOpenAICompletions(model="m", api_key="key", base_url=os.environ["MODEL_URL"])
    chat = Chat("chat", room=room, client=client, reply="mention")
    kept = reactive.Value("nothing")

    def keep(text: str) -> str:
        """Keep a text, and show it."""
        before = kept()
        kept.set(text)
        ui.update_text("topic", value=text)
        ui.notification_show(f"kept {text}")
        return f"before it was {before}"

    client.register_tool(keep)

    def pieces(text: str) -> Iterator[str]:
        with reactive.isolate():
            yield keep(text)
            yield f", now it is {kept()}"

    @chat.on_user_submit
    async def _(text: str) -> None:
        if "@assistant" not in text:
            await chat.append_message_stream(pieces(text))

    @render.text
    def shown() -> str:
        return kept()


app = App(ui.page_fillable(chat_ui("chat")), server)
