"""What a Shiny developer writes first: a list that all sessions share, and a Chat in each."""

from __future__ import annotations

import os

from shiny import App, Inputs, Outputs, Session, reactive, ui
from shinychat import Chat, chat_ui

from tests.bench.clock import pause
from tests.bench.tally import old_line

HISTORY = int(os.environ.get("BENCH_HISTORY", "0"))

said: reactive.Value[list[tuple[str, str]]] = reactive.Value(
    [("", old_line(number)) for number in range(HISTORY)], name="said"
)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Append to the shared list what one says, and to each chat what others have said."""
    chat = Chat("chat")
    shown = 0

    @chat.on_user_submit
    async def _(text: str) -> None:
        if text.startswith("nap "):
            await pause(float(text.split()[1]))
        with reactive.isolate():
            said.set([*said(), (session.id, text)])
        # A reply would do this; without either, the box stays locked.
        await chat._remove_loading_message()  # pyright: ignore[reportPrivateUsage]

    @reactive.effect
    async def _() -> None:
        nonlocal shown
        fresh, shown = said()[shown:], len(said())
        for who, text in fresh:
            if who != session.id:  # the sender's browser shows it already
                await chat.append_message(f"**{who[:4]}** {text}")


app = App(ui.page_fillable(chat_ui("chat")), server)
