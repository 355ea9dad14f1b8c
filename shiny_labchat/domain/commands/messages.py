"""Commands that say something in a room, or settle what waits there. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shiny_labchat.domain.events import Part

__all__ = ["SUBMITTED", "WITHHELD", "Post", "Publish", "Resubmit", "Say", "Withhold"]

SUBMITTED = "submitted:"
"""What the ids begin with that waiting messages are published or withheld by; see `STREAM`."""
WITHHELD = "withheld:"
"""The same, of what was not shown to anybody though it had an id."""


@dataclass(frozen=True, slots=True)
class Say:
    """A person's message from a browser: their text, and nothing else of theirs is believed."""

    member: str
    text: str
    cid: str
    page: str
    waits: bool = False
    """Its page's app transforms it first, see `Publish`; until then nobody is shown it."""


@dataclass(frozen=True, slots=True)
class Publish:
    """What a person's message that waited has been transformed into."""

    of: int
    member: str
    page: str
    parts: Sequence[Part]
    text: str
    """What they wrote; only the log knows it."""
    sent: str | None = None
    """The id that their browser gave it."""

    @property
    def cid(self) -> str:
        """A message that waits becomes one thing only."""
        return f"{SUBMITTED}{self.of}"


@dataclass(frozen=True, slots=True)
class Withhold:
    """
    Show nobody what a transform has dropped; only the log knows it.

    `of` is the message that waited, if it is one, else `id` what it was to be said under; `code`
    and `error` tell why.
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
        """See `Publish`. Under an id it is noted once; it may be said under it nevertheless."""
        if self.of is not None:
            return f"{SUBMITTED}{self.of}"
        return None if self.id is None else f"{WITHHELD}{self.id}"


@dataclass(frozen=True, slots=True)
class Resubmit:
    """Another page of the same person takes over a message that waits."""

    of: int
    member: str
    page: str
    text: str
    sent: str | None

    @property
    def cid(self) -> str:
        """Once by each page."""
        return f"{SUBMITTED}{self.of}@{self.page}"


@dataclass(frozen=True, slots=True)
class Post:
    """A message from code, in the programme's name or a member's."""

    parts: Sequence[Part]
    role: Literal["user", "assistant", "system"] = "assistant"
    member: str | None = None
    name: str | None = None
    icon: str | None = None
    deps: Sequence[Mapping[str, Any]] = ()
    audience: Sequence[str] | None = None
    cid: str | None = None
    is_live: bool = False
    """Opens a stream: what it says comes later, with `EndStream`."""
    by: str | None = None
    """The member who may stop the stream, besides experimenters."""
    original: str | None = None
    """What was appended, where a transform has made something else of it."""
    cause: str | None = None
    """The callback that says it; only the log knows that."""
    hides_cid: bool = False
    """It is shown under an id made of its seq, as what people write is."""
    hides_composing: bool = False
    """
    It takes a number before its own, as people's words do that wait to be transformed.

    For bots that pass for people: else their messages could be told by their numbers.
    """
