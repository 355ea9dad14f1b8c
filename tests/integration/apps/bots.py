"""Two rooms, one with a bot; which one, and their rules, are in the environment, as JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from chatlas import ChatOpenAICompletions
from shiny import App, Inputs, Outputs, Session, reactive, ui

from shiny_labchat import Bot, Chat, Lab, Message, Rules, chat_ui

lab = Lab()
rules = Rules(**json.loads(os.environ.get("RULES", '{"rate": null}')))
room = lab.room("bots", study="tests", rules=rules)
people = lab.room("people", study="tests", rules=rules)
options: dict[str, Any] = json.loads(os.environ.get("BOT", "{}"))


def client(model: str = "gpt-4.1-nano") -> Any:
    """A model over the wire; its connection would try twice more by itself."""
    url = os.environ["MODEL_URL"]
    return ChatOpenAICompletions(
        system_prompt="Be brief.", model=model, api_key="key", base_url=url
    )


def respond(messages: Sequence[Message]) -> str:
    """Say what was heard last."""
    return f"I heard: {messages[-1].content}"


if "MODEL_URL" in os.environ:
    options["client"] = client
else:
    options["respond"] = respond
room.add_bot(Bot("machine", **options))


def server(input: Inputs, output: Outputs, session: Session) -> None:
    """The rooms whose chats a page has."""
    for id, each in (("chat", room), ("people", people)):
        with reactive.isolate():
            is_there = input[f"{id}_hello"].is_set()
        if is_there:
            chat = Chat(id, room=each)
            if "TRANSFORMS" in os.environ:
                chat.transform_user_input(str.strip)


app = App(ui.page_fillable(chat_ui("chat"), chat_ui("people")), server)
