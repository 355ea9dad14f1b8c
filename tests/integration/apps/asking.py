"""A room with a bot that all know to be one, and its model's tool."""

from __future__ import annotations

import os

from chatlas import Chat as Client
from chatlas import ChatOpenAICompletions
from shiny import App, ui

from shiny_labchat import Bot, Lab


def weather(city: str) -> str:
    """The weather of a city."""
    return f"18 degrees in {city}"


def client() -> Client:
    """A model over the wire; where it is, is in the environment."""
    url = os.environ["MODEL_URL"]
    made = ChatOpenAICompletions(model="gpt-4.1-nano", api_key="key", base_url=url)
    made.register_tool(weather)
    return made


room = Lab().room("asking", study="tests")
room.add_bot(Bot("machine", client=client, disclose=True, reading=None, typing=None))
app = App(ui.page_fillable(), None)
