"""What was found."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import median
from typing import Literal

__all__ = ["Finding", "Verdict", "note", "ok", "typical", "wrong"]

Verdict = Literal["ok", "note", "wrong"]
"""It is as it should be; it may be wanted so; it must be changed."""


@dataclass(frozen=True, slots=True)
class Finding:
    """
    One thing that was looked at.

    Attributes
    ----------
    verdict
        How it is.
    about
        What it is, in one word or two.
    says
        What was found, in a sentence.
    change
        What to change, and where; "": nothing.
    """

    verdict: Verdict
    about: str
    says: str
    change: str = ""


def ok(about: str, says: str) -> Finding:
    """A finding that it is as it should be."""
    return Finding("ok", about, _line(says))


def note(about: str, says: str, change: str = "") -> Finding:
    """A finding that may be wanted so."""
    return Finding("note", about, _line(says), change)


def wrong(about: str, says: str, change: str) -> Finding:
    """A finding that something must be changed."""
    return Finding("wrong", about, _line(says), change)


def _line(said: str) -> str:
    """What a server or a driver has said, in one line, and with nothing that changes a terminal."""
    return "".join(c if c.isprintable() else "?" for c in " ".join(said.split()))


def typical(seconds: list[float]) -> str:
    """The median of some times, for people."""
    return f"{1000 * median(seconds):.1f} ms"
