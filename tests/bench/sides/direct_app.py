"""The best that Shiny's own connection gives: no shared value, a custom message to each."""

from __future__ import annotations

from collections import defaultdict
from functools import partial
from urllib.parse import parse_qs

from shiny import App, Inputs, Outputs, Session, reactive, ui

from tests.bench.sides import asked

rooms: defaultdict[str, dict[str, Session]] = defaultdict(dict)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Send what one says, and what streams say, to every session of the room."""
    with reactive.isolate():
        query = parse_qs(session.clientdata.url_search().removeprefix("?"))
    everybody = rooms[query["room"][0]]
    everybody[session.id] = session

    @session.on_ended
    def _() -> None:
        del everybody[session.id]

    async def send(who: str, text: str | None) -> None:
        message: dict[str, object] = {"from": who, "text": text}
        for other in tuple(everybody.values()):
            await other.send_custom_message("said", message)

    @reactive.effect
    @reactive.event(input.said)
    async def _() -> None:
        text: str = input.said()["text"]
        await asked.nap(text)
        await send(session.id[:4], text)
        if stream := asked.stream(text):
            asked.tell_meanwhile(stream, partial(send, stream.word))


app = App(ui.page_fillable(ui.tags.ul(id="chat")), server)
