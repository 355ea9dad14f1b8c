"""The command that ends a stream. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shiny_labchat.domain.events import Event, Part

__all__ = ["STREAM", "EndStream", "Ending"]

STREAM = "stream:"
"""What the ids begin with that streams end by; no message may be given such an id."""

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
