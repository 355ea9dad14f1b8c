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

from shiny_labchat.bots import Bot
from shiny_labchat.chat import install
from shiny_labchat.chat.chat import Chat
from shiny_labchat.chat.ui import chat_ui
from shiny_labchat.domain.ends import End
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import Message, MessageText
from shiny_labchat.domain.rules import Rules
from shiny_labchat.errors import LabChatError, Refused, StoreError
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.module import chat_module_server, chat_module_ui
from shiny_labchat.public import publish
from shiny_labchat.study.person import Person

__all__ = [
    "Bot",
    "Chat",
    "End",
    "Lab",
    "LabChatError",
    "Member",
    "Message",
    "MessageText",
    "Person",
    "Refused",
    "Room",
    "Rules",
    "StoreError",
    "chat_module_server",
    "chat_module_ui",
    "chat_ui",
]

publish(__name__, __all__, globals())
install.install()
