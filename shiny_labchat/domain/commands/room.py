"""Commands about a room as a whole. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from shiny_labchat.domain.rules import Rules
from shiny_labchat.domain.state import Role

__all__ = ["PASSED_OVER", "Clear", "Close", "Configure", "Open", "PassOver", "Record"]

PASSED_OVER = "passed_over:"
"""What the ids begin with that messages are passed over by; see `STREAM`."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Make the room what the code says it is; None leaves a setting as it is."""

    seed: str
    title: str | None = None
    write: tuple[Role, ...] | None = None
    rules: Rules | None = None


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
