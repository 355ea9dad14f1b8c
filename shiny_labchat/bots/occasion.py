"""Why a bot may write a message."""

from __future__ import annotations

from dataclasses import dataclass

from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.triggers import ASKED
from shiny_labchat.lab.bot_registry import CALLBACK, cid_of

__all__ = ["Occasion"]


@dataclass(frozen=True, slots=True)
class Occasion:
    """
    Why a bot may write a message.

    Parameters
    ----------
    seq
        The seq of the message that it may reply to; else of the event that has set this off.
    cid
        The id in the log of the bot's message: so it is there once.
    message
        The message that it may reply to; None: a moment has come, or the app asks.
    trigger
        The name of the condition that was met, or of the moment; None: that is not known yet.
    instruction
        What its model is told for this message; None: nothing.
    """

    seq: int
    cid: str
    message: Message | None = None
    trigger: str | None = None
    instruction: str | None = None

    @classmethod
    def of_message(cls, message: Message) -> Occasion:
        """A message of another member."""
        return cls(message.seq, cid_of(message.seq), message)

    @classmethod
    def of_trigger(cls, event: Event) -> Occasion:
        """A moment, or that the app asks."""
        name: str = event.data["name"]
        cid = cid_of(event.seq) if name == ASKED else f"{CALLBACK}{name}"
        return cls(event.seq, cid, trigger=name, instruction=event.data.get("instruction"))
