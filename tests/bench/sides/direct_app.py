"""The best that Shiny's own connection gives: no shared value, a custom message to each."""

from __future__ import annotations

from collections import defaultdict
from urllib.parse import parse_qs

from shiny import App, Inputs, Outputs, Session, reactive, ui

from tests.bench.clock import pause

rooms: defaultdict[str, dict[str, Session]] = defaultdict(dict)


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Send what one says to every session of the room, the sender's included."""
    with reactive.isolate():
        query = parse_qs(session.clientdata.url_search().removeprefix("?"))
    everybody = rooms[query["room"][0]]
    everybody[session.id] = session

    @session.on_ended
    def _() -> None:
        del everybody[session.id]

    @reactive.effect
    @reactive.event(input.said)
    async def _() -> None:
        text: str = input.said()["text"]
        if text.startswith("nap "):
            await pause(float(text.split()[1]))
        message: dict[str, object] = {"from": session.id[:4], "text": text}
        for other in tuple(everybody.values()):
            await other.send_custom_message("said", message)


app = App(ui.page_fillable(ui.tags.ul(id="chat")), server)
