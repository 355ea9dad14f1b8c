"""What a page tells of itself: its hello, and its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

__all__ = ["INVITE", "LostSession", "PageHello"]

INVITE = "labchat"
"""The query parameter that holds a personal link's token."""

MIN_KEY_LENGTH = 16
"""A browser's keys are random; one of fewer characters is none."""

MAX_UNCONFIRMED = 100
"""Messages that a page may have had on their way when it lost its session."""


@dataclass(frozen=True, slots=True)
class LostSession:
    """
    Where a page stood when it lost its Shiny session.

    What it has sent since then no session can have handled. It is believed only by a process that
    knows nothing of the page, one started since; and it concerns nothing but the page's own.

    Attributes
    ----------
    who
        The handle of its person, another in each room.
    since
        The newest event that it had.
    unsure
        The ids of what was on its way at that moment: a session may have begun to handle it.
    """

    who: str
    since: int
    unsure: frozenset[str]


@dataclass(frozen=True, slots=True)
class PageHello:
    """
    What an element asks with: its page, and the random keys that its browser and tab keep.

    Attributes
    ----------
    lost
        Where it stood when it lost an earlier session; None: it never did.
    """

    page: str
    keys: dict[str, str]
    lost: LostSession | None

    @classmethod
    def of(cls, value: object) -> PageHello:
        """Read what a browser sent; whatever is not as it should be counts as not sent."""
        fields = cast("dict[str, object]", value if isinstance(value, dict) else {})
        keys = {name: key for name in ("browser", "tab") if (key := _short(fields.get(name)))}
        return cls(_short(fields.get("page")) or "", keys, _lost(fields))


def _lost(fields: dict[str, object]) -> LostSession | None:
    who, since, unsure = fields.get("who"), fields.get("since"), fields.get("unsure")
    if type(since) is not int or not 0 < since < 2**53:
        return None
    listed = isinstance(unsure, list | tuple)  # Shiny makes tuples of lists
    cids = cast("Sequence[object]", unsure if listed else ())
    return LostSession(str(who), since, frozenset(f"b:{cid}" for cid in cids[:MAX_UNCONFIRMED]))


def _short(value: object) -> str | None:
    if not isinstance(value, str) or not MIN_KEY_LENGTH <= len(value) <= 128:
        return None
    return value if value.isascii() and value.isprintable() else None
