"""What a page sends about itself: its hello, and its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

__all__ = ["INVITE", "PAGE_HELLO", "LostSession", "PageHello"]

INVITE = "labchat"
"""The query parameter that holds a personal link's token."""

PAGE_HELLO = ".clientdata_labchat_hello"
"""The input by which a page says hello; Shiny keeps such a name out of bookmarks."""

MIN_KEY_LENGTH = 16
"""The least length of a browser's random key; a shorter one is ignored."""

MAX_LISTED = 100
"""The most items that are read from a list of a page."""


@dataclass(frozen=True, slots=True)
class LostSession:
    """
    Where a page was when it lost its Shiny session.

    No session can have handled the messages that the page has sent since. Only a process that was
    started later, and so does not know the page, relies on this; and it affects only the page's
    own messages.

    Attributes
    ----------
    who
        The handle of its person, different in each room.
    since
        The newest seq that the page had.
    unsure
        The ids of messages that were on their way then: a session may have begun to handle them.
    """

    who: str
    since: int
    unsure: frozenset[str]


@dataclass(frozen=True, slots=True)
class PageHello:
    """
    The first message of a page, or of an element in it.

    Attributes
    ----------
    page
        The page's random id.
    keys
        The random keys of its "browser" and "tab".
    lost
        Where the page was when it lost an earlier session; None: it has lost none.
    others
        The ids of shinychat's own chats in the page.
    """

    page: str
    keys: dict[str, str]
    lost: LostSession | None
    others: frozenset[str] = frozenset()

    @classmethod
    def of(cls, value: object) -> PageHello:
        """Read a browser's message; fields that are not valid count as missing."""
        fields = cast("dict[str, object]", value if isinstance(value, dict) else {})
        keys = {name: key for name in ("browser", "tab") if (key := _short(fields.get(name)))}
        others = frozenset(map(str, _listed(fields.get("others"))))
        return cls(_short(fields.get("page")) or "", keys, _lost(fields), others)


def _lost(fields: dict[str, object]) -> LostSession | None:
    who, since, unsure = fields.get("who"), fields.get("since"), fields.get("unsure")
    if type(since) is not int or not 0 < since < 2**53:
        return None
    return LostSession(str(who), since, frozenset(f"b:{cid}" for cid in _listed(unsure)))


def _listed(value: object) -> Sequence[object]:
    if not isinstance(value, list | tuple):  # Shiny makes tuples of lists
        return ()
    return cast("Sequence[object]", value)[:MAX_LISTED]


def _short(value: object) -> str | None:
    if not isinstance(value, str) or not MIN_KEY_LENGTH <= len(value) <= 128:
        return None
    return value if value.isascii() and value.isprintable() else None
