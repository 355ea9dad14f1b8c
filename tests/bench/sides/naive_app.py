"""What a Shiny developer writes first: a list that all sessions share, and a Chat in each."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from itertools import count

from shiny import App, Inputs, Outputs, Session, reactive, ui
from shinychat import Chat, chat_ui

from tests.bench.sides import asked
from tests.bench.tally import old_line

HISTORY = int(os.environ.get("BENCH_HISTORY", "0"))


class Shared:
    """A stream that each session reads from its beginning, at its own pace."""

    def __init__(self, stream: asked.Stream) -> None:
        self._chunks: list[str | None] = []  # None: that was all
        self._more = asyncio.Event()
        asked.tell_meanwhile(stream, self._add)

    async def _add(self, chunk: str | None) -> None:
        self._chunks.append(chunk)
        self._more.set()
        self._more = asyncio.Event()

    async def chunks(self) -> AsyncIterator[str]:
        """All of them, one by one."""
        for n in count():
            while n == len(self._chunks):
                await self._more.wait()
            chunk = self._chunks[n]
            if chunk is None:
                return
            yield chunk


said: reactive.Value[list[tuple[str, str | Shared]]] = reactive.Value(
    [("", old_line(number)) for number in range(HISTORY)], name="said"
)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Append to the shared list what one says, and to each chat what others have said."""
    chat = Chat("chat")
    shown = 0

    @chat.on_user_submit
    async def _(text: str) -> None:
        await asked.nap(text)
        stream = asked.stream(text)
        with reactive.isolate():
            said.set([*said(), (session.id, Shared(stream) if stream else text)])
        # A reply would do this; without either, the box stays locked.
        await chat._remove_loading_message()  # pyright: ignore[reportPrivateUsage]

    @reactive.effect
    async def _() -> None:
        nonlocal shown
        fresh, shown = said()[shown:], len(said())
        for who, what in fresh:
            if isinstance(what, Shared):
                await chat.append_message_stream(what.chunks())
            elif who != session.id:  # the sender's browser shows it already
                await chat.append_message(f"**{who[:4]}** {what}")


app = App(ui.page_fillable(chat_ui("chat")), server)
