"""
What viewers are owed of a room: its newest events in memory, cut into frames and pages. Pure.

Frames and pages end after a number of characters, so that what one viewer costs is bounded, and
so that on a slow line each frame that arrives is a step ahead.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from shiny_labchat import protocol
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.messages import settled
from shiny_labchat.domain.state import Membership, RoomState
from shiny_labchat.store import Log, events_after, events_before

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
"""Shown events that a live room keeps in memory; older ones are read from the log."""
PAGE = 50
"""Messages on the newest screen, and on each page of older ones, at most."""
PAGE_CHARS = 65_536
"""Where such a page ends sooner, in characters of its items; it has one item at least."""
FRAME_CHARS = 16_384
"""Where a frame of news ends likewise."""
SHOWN = ("message", "cleared", "streamed")
"""The kinds of events that viewers are shown."""


@dataclass(frozen=True, slots=True)
class Page:
    """Some items of a room, oldest first, and whether there are older ones."""

    items: list[str]
    more: bool


class Window:
    """
    The newest shown events of a room, each encoded once.

    Attributes
    ----------
    since
        The seq that memory reaches back to: it holds all that came after it.
    """

    def __init__(self) -> None:
        self.since = 0
        self._entries: deque[tuple[Event, str]] = deque()
        self._private = 0
        self._frames: dict[tuple[int, str | None], tuple[str | None, int]] = {}

    def keep(self, events: Iterable[Event]) -> None:
        """Take in what has happened since."""
        self._frames.clear()
        for event in events:
            item = protocol.item(event)
            if item is None:
                continue
            if event.kind == "streamed":
                self._settle(event)
            self._entries.append((event, item))
            if _is_private(event):
                self._private = event.seq
            if len(self._entries) > WINDOW:
                self.since = self._entries.popleft()[0].seq

    def _settle(self, ending: Event) -> None:
        """Who sees a stream for the first time from now on sees what it has become."""
        for at, (event, _) in enumerate(self._entries):
            if event.seq == ending.data["of"]:
                whole = settled(event, ending)
                item = protocol.item(whole)
                assert item is not None
                self._entries[at] = whole, item

    def after(self, cursor: int) -> list[tuple[Event, str]]:
        """The events after a cursor that memory reaches back to, and their items."""
        found: list[tuple[Event, str]] = []
        for entry in reversed(self._entries):
            if entry[0].seq <= cursor:
                break
            found.append(entry)
        found.reverse()
        return found

    def frame(self, room: RoomState, cursor: int, viewer: Membership) -> tuple[str | None, int]:
        """
        The next frame for a viewer whom memory reaches back to, and their cursor then.

        None: they are shown nothing of what has happened since. Encoded once for all to whom it
        is the same.
        """
        is_own = cursor < self._private or viewer.member in room.told
        known = (cursor, viewer.member if is_own else None)
        if known not in self._frames:
            self._frames[known] = cut(room, self.after(cursor), cursor, room.seq, viewer)
        return self._frames[known]

    def newest(self, room: RoomState, viewer: Membership) -> Page | None:
        """A viewer's newest screen; None: memory does not reach back far enough."""
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
    """A frame of what a viewer is owed after a cursor, as far as it fits, and the cursor then."""
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
    return (protocol.events(upto, items) if items else None), upto


def as_shown(room: RoomState, viewer: Membership, event: Event, item: str) -> str:
    """An event's item with the role that a viewer is shown its author in now."""
    author = room.memberships.get(event.member or "")
    if author is None or not author.is_bot or event.kind != "message":
        return item
    role = "assistant" if author.role_for(viewer.member) == "assistant" else "user"
    if role == event.data["role"]:
        return item
    return protocol.item(event._replace(data={**event.data, "role": role})) or item


def page_of(newest: Sequence[str]) -> Page:
    """A page of the newest items, which come newest first."""
    items: list[str] = []
    left = PAGE_CHARS
    for item in newest[:PAGE]:
        if items and len(item) > left:
            break
        items.append(item)
        left -= len(item)
    return Page(items[::-1], len(items) < len(newest))


def _is_private(event: Event) -> bool:
    return "audience" in event.data or event.data.get("scope") == "view"


async def older(log: Log, number: int, room: RoomState, before: int, viewer: Membership) -> Page:
    """The page of messages before a seq."""
    found: list[str] = []
    lowest = room.floor(viewer)
    while True:
        events = await log.read(
            lambda conn, before=before: events_before(conn, number, before, PAGE + 1, ("message",))
        )
        for event in events:
            if event.seq <= lowest or len(found) > PAGE:
                break
            item = protocol.item(event)
            if item is not None and viewer.may_see(event):
                found.append(as_shown(room, viewer, event, item))
        if len(found) > PAGE or len(events) <= PAGE or events[-1].seq <= lowest:
            return page_of(found)
        before = events[-1].seq


async def missed(
    log: Log, number: int, room: RoomState, cursor: int, viewer: Membership
) -> tuple[list[str], int]:
    """The first frames of what a viewer has missed since a cursor, and their cursor then."""
    events = await log.read(lambda conn: events_after(conn, number, cursor, limit=PAGE))
    upto = events[-1].seq if events else room.seq
    frames = [
        _rest_of(event)
        for event in events
        if event.kind == "streamed"
        and room.floor(viewer) < event.data["of"] <= cursor
        and viewer.may_see(event)
    ]
    shown = [(event, item) for event in events if (item := protocol.item(event)) is not None]
    while cursor < upto:
        frame, cursor = cut(room, shown, cursor, upto, viewer)
        if frame is not None:
            frames.append(frame)
    return frames, upto


def _rest_of(ending: Event) -> str:
    """All that a stream has said, for who had some of it."""
    data = ending.data
    return protocol.chunks([protocol.Chunk(data["of"], data["parts"], 0, data.get("deps", ()))])
