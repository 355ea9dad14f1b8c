"""Commands about a room as a whole. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from shiny_labchat.domain.membership import Role
from shiny_labchat.domain.network import Edge, Network
from shiny_labchat.domain.rules import Rules

__all__ = ["PASSED_OVER", "Clear", "Close", "Configure", "Connect", "Open", "PassOver", "Record"]

PASSED_OVER = "passed_over:"
"""Prefix of the ids of commands that pass over messages; see `STREAM`."""


@dataclass(frozen=True, slots=True)
class Configure:
    """Set up a room; None: no change."""

    seed: str
    title: str | None = None
    write: tuple[Role, ...] | None = None
    rules: Rules | None = None
    is_default: bool = False
    """Whether the app's code says so: what was configured while the room was in use, stays."""
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class Connect:
    """Have members hear others from now on, or not any more; see `Network`."""

    edges: Sequence[Edge]
    on: bool = True


@dataclass(frozen=True, slots=True)
class Close:
    """Close the room; members can still read."""

    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Open:
    """Open a closed room again."""


@dataclass(frozen=True, slots=True)
class Clear:
    """Clear the view of one member, or of all (member None); the log keeps everything."""

    member: str | None = None
    greeting: bool = False
    """Whether the page's own greeting is cleared, too."""


@dataclass(frozen=True, slots=True)
class Record:
    """Add an event of the study's own, which is only in the log."""

    kind: str
    value: Any
    member: str | None = None


@dataclass(frozen=True, slots=True)
class PassOver:
    """Record, only in the log, that a callback failed at message `of` and goes on after it."""

    callback: str
    of: int
    tries: int
    error: str

    @property
    def cid(self) -> str:
        """The id by which a callback passes over a message only once."""
        return f"{PASSED_OVER}{self.of}:{self.callback}"
