"""What a live room tells, as a queue to wait at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from shiny_labchat.domain.events import Event
from shiny_labchat.live.room import LiveRoom


def heard_in(live: LiveRoom) -> asyncio.Queue[Event]:
    """A queue that gets every event of the room from now on."""
    heard: asyncio.Queue[Event] = asyncio.Queue()

    def hear(events: Sequence[Event]) -> None:
        for event in events:
            heard.put_nowait(event)

    live.follow(hear)
    return heard
