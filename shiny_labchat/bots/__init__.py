"""
Bots: programs that are members of rooms, run by the server.

They need no open page. After a restart of the server they continue with the messages that they
have not reacted to. All their questions, answers and decisions are on record, see
:meth:`Room.audit() <shiny_labchat.Room.audit>`.
"""

from __future__ import annotations

from shiny_labchat.audit.entries import AuditEntry
from shiny_labchat.bots.bot import Bot
from shiny_labchat.bots.budget import Budget
from shiny_labchat.bots.pace import READING_SPEED, TYPING_SPEED
from shiny_labchat.bots.talk import Talk
from shiny_labchat.bots.when import NO_REPLY, At, BeforeClose, Chance, Every, Silence, Unequal
from shiny_labchat.public import publish

__all__ = [
    "NO_REPLY",
    "READING_SPEED",
    "TYPING_SPEED",
    "At",
    "AuditEntry",
    "BeforeClose",
    "Bot",
    "Budget",
    "Chance",
    "Every",
    "Silence",
    "Talk",
    "Unequal",
]

publish(__name__, __all__, globals())
