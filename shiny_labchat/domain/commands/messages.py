"""What can be wished of a room: commands, decided by `decide` in the one writer. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shiny_labchat.domain.events import Event, Part
from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import Role

__all__ = [
    "PASSED_OVER",
    "STREAM",
    "SUBMITTED",
    "WITHHELD",
    "Change",
    "Clear",
    "Close",
    "Command",
    "Configure",
    "Disclose",
    "EndStream",
    "Ending",
    "Join",
    "Mute",
    "Open",
    "PassOver",
    "Post",
    "Publish",
    "Record",
    "Remove",
    "Resubmit",
    "Say",
    "Withhold",
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
    """A page may not bring back who was removed, nor take a bot's place; so it is with bots."""
    is_bot: bool = False
    shown: Role | None = None
    """The role that others are shown in place of `role`; None: that."""


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


Ending = Literal["done", "stopped", "failed", "withheld", "interrupted"]


@dataclass(frozen=True, slots=True)
class EndStream:
    """
    What a stream has said, in the end.

    `how` is "done", or why it is not all that was to be said: "stopped", "failed" (`error` tells
    the log why), "withheld" (a transform dropped it in the end) or "interrupted" (its server is
    gone; it may turn out that it is not).
    """

    of: int
    parts: Sequence[Part]
    how: Ending = "done"
    deps: Sequence[Mapping[str, Any]] = ()
    audience: Sequence[str] | None = None
    error: str | None = None
    turns: Sequence[Mapping[str, Any]] = ()
    """What a model keeps of its reply beside the text, see `Message.turns`."""
    original: str | None = None
    """See `Post`."""

    @classmethod
    def of_stream(
        cls, opening: Event, parts: Sequence[Part], how: Ending, deps: Sequence[Mapping[str, Any]]
    ) -> EndStream:
        """The end of the stream that an event opened; whoever may see that is shown it."""
        audience = opening.data.get("audience")
        if audience is not None and opening.member is not None:
            audience = [*dict.fromkeys((*audience, opening.member))]
        return cls(opening.seq, parts, how, deps, audience)

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
class PassOver:
    """A callback has failed at the message `of` and is done with it; only the log knows it."""

    callback: str
    of: int
    tries: int
    error: str

    @property
    def cid(self) -> str:
        """It is passed over once."""
        return f"{PASSED_OVER}{self.of}:{self.callback}"


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
class Disclose:
    """Show the real role of a member (None: of all) to some members (None: to all)."""

    member: str | None = None
    to: tuple[str, ...] | None = None


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
    greeting: bool = False
    """Whether what the page itself begins with goes too."""


Command = (
    Configure
    | Join
    | Change
    | Say
    | Publish
    | Withhold
    | Resubmit
    | Post
    | EndStream
    | Record
    | PassOver
    | Remove
    | Mute
    | Disclose
    | Close
    | Open
    | Clear
)

STREAM = "stream:"
"""What the ids begin with that streams end by; no message may be given such an id."""
SUBMITTED = "submitted:"
"""The same, of messages that waited and were published or withheld."""
PASSED_OVER = "passed_over:"
"""The same, of messages that a callback passed over."""
WITHHELD = "withheld:"
"""The same, of what was not shown to anybody though it had an id."""
