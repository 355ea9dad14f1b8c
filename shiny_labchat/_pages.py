"""What viewers are owed of a room that memory does not reach back to, read from the log."""

from __future__ import annotations

from shiny_labchat import protocol
from shiny_labchat._window import PAGE, Page, as_shown, cut, page_of
from shiny_labchat.domain.events import Event
from shiny_labchat.domain.state import RoomState, Seat
from shiny_labchat.store import Log, events_after, events_before

__all__ = ["missed", "older"]


async def older(log: Log, number: int, room: RoomState, before: int, viewer: Seat) -> Page:
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
    log: Log, number: int, room: RoomState, cursor: int, viewer: Seat
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
