"""The view of a conversation by which an app's function decides whether a bot replies."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from shiny_labchat.domain.members import Member
from shiny_labchat.domain.messages import Message
from shiny_labchat.domain.shares import shares_of

__all__ = ["Talk"]


@dataclass(frozen=True, slots=True)
class Talk:
    """
    A room when a bot decides whether to reply to a message; it cannot be changed.

    Parameters
    ----------
    messages
        What the bot has heard; the message that it decides about is the last one.
    members
        The members whom it hears, in order of joining, bots among them.
    speakers
        The ids of those of them who are shown as participants.
    silence
        For how long nobody had written before this message, in seconds; of the first message: 0.
    deadline
        When the time of the room's people is over: aware, UTC. None: that is not known.
    places
        By the ids of those in whose places bots go on, the ids of these bots.
    """

    messages: tuple[Message, ...]
    members: tuple[Member, ...]
    speakers: tuple[str, ...]
    silence: float = 0.0
    deadline: datetime | None = None
    places: Mapping[str, str] = field(default_factory=dict[str, str])

    @property
    def shares(self) -> dict[str, float]:
        """By the id of each of the speakers, their share of all characters, from 0 to 1."""
        return shares_of(self.messages, self.speakers, self.places)

    def without(self, member: str) -> Talk:
        """The same without one of the speakers, and what others said; for this package."""
        speakers = tuple(each for each in self.speakers if each != member)
        said = tuple(
            message
            for message in self.messages
            if self.places.get(message.member or "", message.member) in speakers
        )
        return replace(self, messages=said, speakers=speakers)

    def since(self, seconds: float) -> Talk:
        """The same, only with messages after a time (s since 1970); for this package."""
        said = (message for message in self.messages if message.at.timestamp() > seconds)
        return replace(self, messages=tuple(said))
