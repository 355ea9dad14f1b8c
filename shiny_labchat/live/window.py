"""
The newest events of a room in memory, and the frames and pages that viewers are owed.

Frames and pages have a largest length. So the cost of one viewer is bounded, and on a slow
connection each frame that arrives brings some messages.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shiny_labchat import protocol
from shiny_labchat.domain.events import Event, newest_about
from shiny_labchat.domain.membership import Membership
from shiny_labchat.domain.messages import is_retracted, settled
from shiny_labchat.domain.opaque import id_of
from shiny_labchat.domain.state import RoomState
from shiny_labchat.store import Log, events_after, visible_before

__all__ = [
    "PAGE",
    "SHOWN",
    "WINDOW",
    "Page",
    "Window",
    "as_shown",
    "cut",
    "missed",
    "older",
    "page_of",
]

WINDOW = 200
"""Most events for viewers that a live room keeps in memory; older ones are read from the log."""
WINDOW_BYTES = 262_144
"""Most memory of these events, in bytes, estimated; but there is at least one of them."""
PAGE = 50
"""Most messages on the newest screen, and on each page of older ones."""
PAGE_CHARS = 65_536
"""Longest page, in characters of its items; but it has at least one item."""
FRAME_CHARS = 16_384
"""Longest frame of events, in characters of its items; but it has at least one item."""
FRAMES_CACHED = 128
"""Most frames for viewers that a live room keeps until its next event; most viewers share them."""
SEARCHED = 2_000
"""Most events of the log that are searched for one page of older messages."""
ENTRY_BYTES = 1_024
"""Memory of an event in the window without its text, in bytes; an estimate."""
OF_ENDING = ("of", "is", "audience", "by_network")
"""What a frame of the end of a stream is made of."""
SHOWN = ("message", "cleared", "streamed", "retracted", "withdrawn")
"""The kinds of events that viewers are shown."""


@dataclass(frozen=True, slots=True)
class Page:
    """
    Some items of a room, oldest first, and whether there may be older ones.

    `before`: the id before which to go on, where the search has ended early; None: before its
    oldest item.
    """

    items: list[str]
    more: bool
    before: str | None = None


class Window:
    """
    The newest shown events of a room, each encoded once.

    Parameters
    ----------
    seed
        The room's seed.

    Attributes
    ----------
    since
        The window has all shown events after this seq.
    size
        Its memory in bytes, estimated.
    """

    def __init__(self, seed: str = "") -> None:
        self.since = 0
        self.size = 0
        self._seed = seed
        self._entries: deque[tuple[Event, str]] = deque()
        self._private = 0
        self._about_older: deque[tuple[int, int]] = deque()
        self._frames: dict[tuple[int, str | None], tuple[str | None, int]] = {}

    @classmethod
    def of(cls, room: RoomState, newest: Sequence[Event], upto: int | None = None) -> Window:
        """
        The window of a room that was read.

        Parameters
        ----------
        room, newest
            The room, and its newest events for viewers, newest first, at most `WINDOW`.
        upto
            Only events up to this seq, as `keep` is told of the others; None: all.
        """
        window = cls(room.seed)
        window.since = newest[-1].seq - 1 if len(newest) == WINDOW else 0
        window.keep(event for event in reversed(newest) if upto is None or event.seq <= upto)
        return window

    @property
    def newest_seq(self) -> int:
        """The seq of its newest event; 0: it has none."""
        return self._entries[-1][0].seq if self._entries else 0

    def keep(self, events: Iterable[Event]) -> None:
        """Add newer events; drop the oldest ones beyond `WINDOW` and `WINDOW_BYTES`."""
        self._frames.clear()
        for event in events:
            item = protocol.item(event, self._seed)
            if item is None:
                continue
            if event.kind == "streamed":
                self._settle(event)
                event = _for_viewers(event)
            self._entries.append((event, item))
            self.size += _size_of(item)
            if _is_private(event):
                self._private = event.seq
            if (about := newest_about(event)) != event.seq:
                self._about_older.append((event.seq, about))
            self._drop_oldest()

    def _drop_oldest(self) -> None:
        entries = self._entries
        while len(entries) > WINDOW or (len(entries) > 1 and self.size > WINDOW_BYTES):
            event, item = entries.popleft()
            self.size -= _size_of(item)
            self.since = event.seq
        while self._about_older and self._about_older[0][0] <= self.since:
            self._about_older.popleft()

    def _settle(self, ending: Event) -> None:
        """Replace the opening of a stream by its final message, for viewers who come later."""
        for at, (event, opening) in enumerate(self._entries):
            if event.seq == ending.data["of"]:
                self.size -= _size_of(opening)
                whole = settled(event, ending)
                item = protocol.item(whole, self._seed)
                if item is None:
                    del self._entries[at]
                else:
                    self._entries[at] = whole, item
                    self.size += _size_of(item)
                return

    def after(self, cursor: int) -> list[tuple[Event, str]]:
        """The events after a cursor, oldest first, with their items; not for one before `since`."""
        found: list[tuple[Event, str]] = []
        for entry in reversed(self._entries):
            if entry[0].seq <= cursor:
                break
            found.append(entry)
        found.reverse()
        return found

    def frame(self, room: RoomState, cursor: int, viewer: Membership) -> tuple[str | None, int]:
        """
        The next frame for a viewer, and their cursor after it; not for one before `since`.

        None: none of the new events is for this viewer. Viewers with the same frame share it.
        """
        is_own = cursor < self._private or viewer.member in room.told
        is_own = is_own or self._is_about_unseen(cursor, viewer)
        known = (cursor, viewer.member if is_own else None)
        if known not in self._frames:
            if len(self._frames) >= FRAMES_CACHED:
                self._frames.clear()
            self._frames[known] = cut(room, self.after(cursor), cursor, room.seq, viewer)
        return self._frames[known]

    def _is_about_unseen(self, cursor: int, viewer: Membership) -> bool:
        """Whether an event after a cursor is about messages that are not in a viewer's view."""
        for seq, about in reversed(self._about_older if viewer.view_from else ()):
            if seq <= cursor:
                return False
            if about <= viewer.view_from:
                return True
        return False

    def newest(self, room: RoomState, viewer: Membership) -> Page | None:
        """A viewer's newest screen; None: the window has too few messages."""
        shown = [
            as_shown(room, viewer, event, item)
            for event, item in self._entries
            if event.kind == "message" and room.shows(viewer, event)
        ]
        if len(shown) <= PAGE and self.since > room.floor(viewer):
            return None
        return page_of(shown[::-1])


def cut(
    room: RoomState, owed: Iterable[tuple[Event, str]], cursor: int, upto: int, viewer: Membership
) -> tuple[str | None, int]:
    """A frame of the events after a cursor, as many as fit, and the cursor after it."""
    items: list[str] = []
    left = FRAME_CHARS
    for event, item in owed:
        if event.seq <= cursor or not room.shows(viewer, event):
            continue
        item = as_shown(room, viewer, event, item)
        if items and len(item) > left:
            upto = cursor
            break
        items.append(item)
        left -= len(item)
        cursor = event.seq
    return (protocol.events(items) if items else None), upto


def as_shown(room: RoomState, viewer: Membership, event: Event, item: str) -> str:
    """An event's item, with the role in which this viewer sees its author now."""
    author = room.memberships.get(event.member or "")
    if author is None or not author.is_bot or event.kind != "message":
        return item
    role = "assistant" if author.role_for(viewer.member) == "assistant" else "user"
    if role == event.data["role"]:
        return item
    return protocol.item(event._replace(data={**event.data, "role": role}), room.seed) or item


def page_of(newest: Sequence[str]) -> Page:
    """A page, oldest first, made of items that come newest first."""
    items: list[str] = []
    left = PAGE_CHARS
    for item in newest[:PAGE]:
        if items and len(item) > left:
            break
        items.append(item)
        left -= len(item)
    return Page(items[::-1], len(items) < len(newest))


def _for_viewers(ending: Event) -> Event:
    """
    The end of a stream without its content, which the opening has by now.

    The record of its pieces would take more memory than all else in the window.
    """
    return ending._replace(data={k: ending.data[k] for k in OF_ENDING if k in ending.data})


def _size_of(item: str) -> int:
    """The memory of an event, estimated: its text is in the event and in the item."""
    return ENTRY_BYTES + 3 * len(item)


def _is_private(event: Event) -> bool:
    return "audience" in event.data or event.data.get("scope") == "view"


async def older(
    log: Log,
    number: int,
    room: RoomState,
    before: int,
    viewer: Membership,
    *,
    searched: int = SEARCHED,
) -> Page:
    """
    The page of messages before a seq.

    Where most messages are private to others, the search for a whole page could take long. So it
    ends after `searched` events, and the page is short, or empty.
    """
    lowest = room.floor(viewer)
    after = max(lowest, before - 1 - searched)
    who = viewer.member, viewer.hears_all
    events = await log.read(
        lambda conn: visible_before(conn, number, before, after, PAGE + 1, *who)
    )
    found = [
        as_shown(room, viewer, event, item)
        for event in events
        if viewer.may_see(event) and (item := protocol.item(event, room.seed)) is not None
    ]
    reached = events[-1].seq - 1 if len(events) > PAGE else after  # there may be more above `after`
    page = page_of(found)
    if page.more or reached <= lowest:
        return page
    return Page(page.items, True, id_of(room.seed, reached + 1))


async def missed(
    log: Log, number: int, room: RoomState, cursor: int, viewer: Membership
) -> tuple[list[str], int]:
    """The next frames of what a viewer has missed, and their cursor after them."""
    events = await log.read(lambda conn: events_after(conn, number, cursor, limit=PAGE))
    upto = events[-1].seq if events else room.seq
    frames = [
        _rest_of(event, room.seed)
        for event in events
        if event.kind == "streamed"
        and not is_retracted(event)
        and room.floor(viewer) < event.data["of"] <= cursor
        and viewer.may_see(event)
    ]
    shown = [
        (event, item) for event in events if (item := protocol.item(event, room.seed)) is not None
    ]
    while cursor < upto:
        frame, cursor = cut(room, shown, cursor, upto, viewer)
        if frame is not None:
            frames.append(frame)
    return frames, upto


def _rest_of(ending: Event, seed: str) -> str:
    """The whole content of an ended stream, for viewers who had some of it."""
    data = ending.data
    chunk = protocol.Chunk(data["of"], data["parts"], 0, data.get("deps", ()))
    return protocol.chunks([chunk], seed)
