"""Commands that send messages, or settle held ones. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shiny_labchat.domain.events import Part

__all__ = ["SUBMITTED", "WITHHELD", "Post", "Publish", "Resubmit", "Say", "Withhold"]

SUBMITTED = "submitted:"
"""Prefix of the ids of commands that publish or withhold held messages; see `STREAM`."""
REPLY = "reply:"
"""Prefix of the ids of a model's replies, which name the messages; browsers are not told them."""
WITHHELD = "withheld:"
"""Prefix of the ids of commands that withhold an app's message that has an id."""


@dataclass(frozen=True, slots=True)
class Say:
    """A person's message from a browser; only its text and `cid` are the browser's."""

    member: str
    text: str
    cid: str
    page: str
    waits: bool = False
    """Whether the message is held until the app has transformed it, see `Publish`."""
    typed: Mapping[str, Any] | None = None
    """What its page has counted while it was written; None: nothing."""


@dataclass(frozen=True, slots=True)
class Publish:
    """Show a held message of a person, with what its transform has made of it."""

    of: int
    member: str
    page: str
    text: str
    """What the person wrote, which people see."""
    transformed: str | None
    """What the app and its model read instead; None: the app does not handle the message."""
    sent: str | None = None
    """The id that the person's browser gave it."""
    typed: Mapping[str, Any] | None = None
    """What is kept of what its page has counted; None: nothing."""

    @property
    def cid(self) -> str:
        """The id by which a held message is settled only once."""
        return f"{SUBMITTED}{self.of}"


@dataclass(frozen=True, slots=True)
class Withhold:
    """
    Record a message that a transform has dropped; it is only in the log.

    `of` is the seq of the held message. If there was none, `id` is the id that the message was to
    be posted with. `code` and `error` are the reasons.
    """

    text: str
    member: str | None = None
    code: str = "not_accepted"
    of: int | None = None
    page: str | None = None
    error: str | None = None
    id: str | None = None

    @property
    def cid(self) -> str | None:
        """As of `Publish`; or made of `id`, which a later message may still be posted with."""
        if self.of is not None:
            return f"{SUBMITTED}{self.of}"
        return None if self.id is None else f"{WITHHELD}{self.id}"


@dataclass(frozen=True, slots=True)
class Resubmit:
    """Give a held message to another page of the same person."""

    of: int
    member: str
    page: str
    text: str
    sent: str | None
    typed: Mapping[str, Any] | None = None

    @property
    def cid(self) -> str:
        """The id by which each page takes a message over only once."""
        return f"{SUBMITTED}{self.of}@{self.page}"


@dataclass(frozen=True, slots=True)
class Post:
    """A message from code, in the name of the programme or of a member."""

    parts: Sequence[Part]
    role: Literal["user", "assistant", "system"] = "assistant"
    member: str | None = None
    name: str | None = None
    icon: str | None = None
    deps: Sequence[Mapping[str, Any]] = ()
    audience: Sequence[str] | None = None
    by_network: bool = False
    """Whether `audience` are those who hear it in the network of the room, not those of the app."""
    at_most: Sequence[str] | None = None
    """The only ones who may hear it, where the room's network says who does; None: no limit."""
    cid: str | None = None
    is_live: bool = False
    """Whether it opens a stream: its text comes later, with `EndStream`."""
    by: str | None = None
    """The member who may stop the stream, besides experimenters."""
    original: str | None = None
    """What was appended, if a transform has changed it."""
    transformed: str | None = None
    """What the app and its model read instead of a person's message."""
    cause: str | None = None
    """The callback that posts it; only in the log."""
    hides_cid: bool = False
    """Whether it is shown with an id made of its seq, like a person's message."""
    hides_composing: bool = False
    """
    Whether an event precedes it, as a "submitted" event precedes a person's held message.

    For bots that are shown as people: otherwise the seqs of messages would tell who is a bot.
    """
