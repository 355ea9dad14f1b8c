"""What a page sends about itself: its hello, and its address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from shiny_labchat.domain.opaque import seq_of
from shiny_labchat.domain.state import RoomState

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
        The id of the newest item that the page had; "": it had none.
    unsure
        The ids of messages that were on their way then: a session may have begun to handle them.
    """

    who: str
    since: str
    unsure: frozenset[str]

    def seq(self, state: RoomState) -> int:
        """The newest seq that the page had; the room's newest if its id is not of this room."""
        if not self.since:
            return 0
        found = seq_of(state.seed, self.since)
        return state.seq if found is None else min(found, state.seq)


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
    page_key
        The key that it has fetched, see `access.page_keys`; None: it is fetching it. Empty: it
        could not fetch it, or is of an older version.
    """

    page: str
    keys: dict[str, str]
    lost: LostSession | None
    others: frozenset[str] = frozenset()
    page_key: str | None = ""

    @classmethod
    def of(cls, value: object) -> PageHello:
        """Read a browser's message; fields that are not valid count as missing."""
        fields = cast("dict[str, object]", value if isinstance(value, dict) else {})
        keys = {name: key for name in ("browser", "tab") if (key := _short(fields.get(name)))}
        others = frozenset(map(str, _listed(fields.get("others"))))
        page_key = None if fields.get("key", "") is None else _short(fields.get("key")) or ""
        return cls(_short(fields.get("page")) or "", keys, _lost(fields), others, page_key)


def _lost(fields: dict[str, object]) -> LostSession | None:
    who, since, unsure = fields.get("who"), fields.get("since"), fields.get("unsure")
    if not isinstance(since, str):
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
