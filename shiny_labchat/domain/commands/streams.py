"""The command that ends a stream. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from shiny_labchat.domain.events import Event, Part

__all__ = ["STREAM", "EndStream", "Ending", "Piece"]

STREAM = "stream:"
"""Prefix of the ids of commands that end streams; no message may have such an id."""

Piece = tuple[int, int] | tuple[int, int, str]
"""
When a piece of a stream was shown, in milliseconds since the stream was opened; its length in units
(of UTF-16; a part that is no text has one); and the text that it took back, if there was some.
"""

Ending = Literal["done", "stopped", "failed", "withheld", "interrupted"]


@dataclass(frozen=True, slots=True)
class EndStream:
    """
    End a stream, with all that it has said.

    `how` is "done", or why the stream is not complete: "stopped", "failed" (`error` is the reason,
    for the log), "withheld" (a transform dropped it at the end) or "interrupted" (its server seems
    to have ended; if it has not, its own end of the stream comes later).
    """

    of: int
    parts: Sequence[Part]
    how: Ending = "done"
    deps: Sequence[Mapping[str, Any]] = ()
    audience: Sequence[str] | None = None
    by_network: bool = False
    """See `Post`."""
    error: str | None = None
    turns: Sequence[Mapping[str, Any]] = ()
    """A model's turns, if its reply is more than text, see `Message.turns`."""
    original: str | None = None
    """See `Post`."""
    pieces: Sequence[Piece] = ()
    """What was shown before the end, and when."""

    @classmethod
    def of_stream(
        cls, opening: Event, parts: Sequence[Part], how: Ending, deps: Sequence[Mapping[str, Any]]
    ) -> EndStream:
        """The end of the stream that an event opened; the same members may see it."""
        audience = opening.data.get("audience")
        if audience is not None and opening.member is not None:
            audience = [*dict.fromkeys((*audience, opening.member))]
        by_network = "by_network" in opening.data
        return cls(opening.seq, parts, how, deps, audience, by_network)

    @property
    def cid(self) -> str:
        """The id by which a stream ends only once; an interruption has one of its own."""
        return f"{STREAM}{self.of}" + "?" * (self.how == "interrupted")
