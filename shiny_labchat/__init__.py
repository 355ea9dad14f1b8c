"""Group chat for Shiny for Python, made for people who study people."""

from __future__ import annotations

from shiny_labchat.bots import Bot
from shiny_labchat.chat import install
from shiny_labchat.chat.chat import Chat
from shiny_labchat.chat.ui import chat_ui
from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import Message, MessageText
from shiny_labchat.domain.rules import Rules
from shiny_labchat.errors import LabChatError, Refused, StoreError
from shiny_labchat.lab.lab import Lab
from shiny_labchat.lab.room import Room
from shiny_labchat.module import chat_module_server, chat_module_ui
from shiny_labchat.public import publish

__all__ = [
    "Bot",
    "Chat",
    "Lab",
    "LabChatError",
    "Member",
    "Message",
    "MessageText",
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
