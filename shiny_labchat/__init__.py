"""
Group chat for Shiny for Python, made for people who study people.

`Chat` is a room as one page sees it; in Shiny Express, import it from ``shiny_labchat.express``. In
Shiny Core, `chat_ui` is its place in the page. `Lab` and `Room` are for programmes without a page,
a `Bot` is a member that is a program, `Rules` are the limits of a room. A `Study` has people (each
a `Person`), their answers and their ends (each an `End`); in a `Lobby` they wait for a group.
Tests of an app use ``shiny_labchat.playwright``; the command ``labchat links`` makes personal
links.
"""

from __future__ import annotations

import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from shiny_labchat.public import publish

if TYPE_CHECKING:
    from shiny_labchat.bots import Bot
    from shiny_labchat.chat.chat import Chat
    from shiny_labchat.chat.ui import chat_ui
    from shiny_labchat.domain.ends import End
    from shiny_labchat.domain.members import Member
    from shiny_labchat.domain.messages import Message, MessageText
    from shiny_labchat.domain.rules import Rules
    from shiny_labchat.errors import LabChatError, Refused, StoreError
    from shiny_labchat.lab.lab import Lab
    from shiny_labchat.lab.room import Room
    from shiny_labchat.lobby.lobby import Lobby
    from shiny_labchat.lobby.study import Study
    from shiny_labchat.module import chat_module_server, chat_module_ui
    from shiny_labchat.study.person import Person

__all__ = [
    "Bot",
    "Chat",
    "End",
    "Lab",
    "LabChatError",
    "Lobby",
    "Member",
    "Message",
    "MessageText",
    "Person",
    "Refused",
    "Room",
    "Rules",
    "StoreError",
    "Study",
    "chat_module_server",
    "chat_module_ui",
    "chat_ui",
]

_MODULES = {
    "Bot": "bots",
    "Chat": "chat.chat",
    "End": "domain.ends",
    "Lab": "lab.lab",
    "LabChatError": "errors",
    "Lobby": "lobby.lobby",
    "Member": "domain.members",
    "Message": "domain.messages",
    "MessageText": "domain.messages",
    "Person": "study.person",
    "Refused": "errors",
    "Room": "lab.room",
    "Rules": "domain.rules",
    "StoreError": "errors",
    "Study": "lobby.study",
    "chat_module_server": "module",
    "chat_module_ui": "module",
    "chat_ui": "chat.ui",
}
"""Where each public name is: a script does not wait for Shiny, which takes seconds to import."""


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    thing = getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
    publish(__name__, (name,), {name: thing})
    globals()[name] = thing
    return thing


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


if "shiny" in sys.modules:  # an app: the gateway is there as soon as it serves
    import_module(f"{__name__}.chat")
