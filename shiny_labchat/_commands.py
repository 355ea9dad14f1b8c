"""What can be wished of a room: commands, decided by `_decide` in the one writer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shiny_labchat._domain import Part, Role, Rules

__all__ = [
    "STREAM",
    "Change",
    "Clear",
    "Close",
    "Command",
    "Configure",
    "EndStream",
    "Join",
    "Mute",
    "Open",
    "Post",
    "Record",
    "Remove",
    "Say",
]


@dataclass(frozen=True, slots=True)
class Configure:
    """Make the room what the code says it is; None leaves a setting as it is."""

    seed: str
    title: str | None = None
    write: tuple[Role, ...] | None = None
    rules: Rules | None = None


@dataclass(frozen=True, slots=True)
class Join:
    """Make someone a member; who is one already stays as they are."""

    member: str
    handle: str
    role: Role = "participant"
    pseudonym: str | None = None
    by_page: bool = False
    """A page may not bring back who was removed."""


@dataclass(frozen=True, slots=True)
class Change:
    """Give a member another role or pseudonym; None leaves it."""

    member: str
    role: Role | None = None
    pseudonym: str | None = None


@dataclass(frozen=True, slots=True)
class Say:
    """A person's message from a browser: their text, and nothing else of theirs is believed."""

    member: str
    text: str
    cid: str
    page: str


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


@dataclass(frozen=True, slots=True)
class EndStream:
    """
    What a stream has said, in the end.

    `how` is "done", or why it is not all that was to be said: "stopped", "failed" (`error` tells
    the log why) or "interrupted" (its server is gone; it may turn out that it is not).
    """

    of: int
    parts: Sequence[Part]
    how: Literal["done", "stopped", "failed", "interrupted"] = "done"
    deps: Sequence[Mapping[str, Any]] = ()
    audience: Sequence[str] | None = None
    error: str | None = None
    turns: Sequence[Mapping[str, Any]] = ()
    """What a model keeps of its reply beside the text, see `Message.turns`."""

    @property
    def cid(self) -> str:
        """A stream ends once."""
        return f"{STREAM}{self.of}" + "?" * (self.how == "interrupted")


@dataclass(frozen=True, slots=True)
class Record:
    """An event of the study's own; only the log knows it."""

    kind: str
    value: Any
    member: str | None = None


@dataclass(frozen=True, slots=True)
class Remove:
    """Take someone out of the room, for reading and writing."""

    member: str


@dataclass(frozen=True, slots=True)
class Mute:
    """Let a member read only, or write again."""

    member: str
    on: bool = True


@dataclass(frozen=True, slots=True)
class Close:
    """End the conversation; members can still read."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """Let the conversation go on."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Empty one member's view, or (member None) everybody's; the log keeps all."""

    member: str | None = None


Command = (
    Configure
    | Join
    | Change
    | Say
    | Post
    | EndStream
    | Record
    | Remove
    | Mute
    | Close
    | Open
    | Clear
)

STREAM = "stream:"
"""What the ids begin with that streams end by; no message may be given such an id."""
