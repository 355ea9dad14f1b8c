"""A model that replies in a room; which model, where and when is in the environment."""

from __future__ import annotations

import os
import re
import threading
from typing import Any, cast

from chatlas import ChatOpenAICompletions
from shiny import App, Inputs, Outputs, Session, ui

from shiny_labchat import Chat, Lab, Rules, chat_ui
from tests.support.models.stand_in import StandIn

lab = Lab()
room = lab.room("replies", study="tests", rules=Rules(rate=None))
REPLY = os.environ.get("REPLY", "always")
FUNCTIONS: dict[str, Any] = {
    "question": lambda message: "?" in message.content,
    "search": lambda message: re.search(r"\?", message.content),
}


def weather(city: str) -> str:
    """Tell the weather of a city, and take a second for it, as old libraries do."""
    threading.Event().wait(1.0)
    return f"18 degrees in {city}"


class Desk:
    """Books flights, one at a time."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._booked = 0

    def book(self, city: str) -> str:
        """Book a flight to a city."""
        with self._lock:
            self._booked += 1
            return f"booking {self._booked}"


def odd(city: str) -> list[object]:
    """Give what is no JSON."""
    return [2**70, object, b"\xff", "\ud800\0", {1: float("nan")}]


client = ChatOpenAICompletions(
    system_prompt="Be brief.",
    model="tiny",
    api_key="key",
    base_url=os.environ["MODEL_URL"],
    kwargs=cast("Any", {"max_retries": 0, "timeout": 5.0}),
)
for tool in (weather, Desk().book, odd):
    client.register_tool(tool)
model: Any = StandIn(client) if "STAND_IN" in os.environ else client
first = [{"role": "system", "content": words} for words in os.environ.get("ORDERS", "").split("|")]


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """Make the chat; each session has the client's model, and the room's conversation."""
    Chat(
        "chat",
        room=room,
        client=model,
        messages=first if "ORDERS" in os.environ else (),
        reply=FUNCTIONS.get(REPLY, cast("Any", REPLY)),
        failures=cast("Any", os.environ.get("FAILURES", "asker")),
    )


app = App(ui.page_fillable(chat_ui("chat")), server)
