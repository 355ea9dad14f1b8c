"""Reading many rows in slices, so that neither the event loop nor other readers wait for them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from weakref import WeakKeyDictionary

import sqlalchemy as sa

from shiny_labchat.store import Log

__all__ = ["SLICE", "in_slices"]

SLICE = 200
"""Messages in a slice. Making them takes one or two milliseconds, in which no other thread runs."""
LONGEST_PAUSE = 0.01
"""Of a reader of much, in seconds: a busy machine makes slices long, but not their work."""


async def in_slices(log: Log, read: Callable[[sa.Connection], bool]) -> None:
    """
    Run `read(connection)` in a reader's thread again and again while it returns True.

    The first slice is read at once: most who read need no other. Then only one reader of the event
    loop goes on at a time, and they take turns. After each slice there is a pause as long as the
    slice took, at most `LONGEST_PAUSE`.

    Raises
    ------
    StoreError
        The database could not be read.
    """
    loop = asyncio.get_running_loop()
    goes_on = await log.read(read)
    while goes_on:
        async with _turns.setdefault(loop, asyncio.Lock()):
            started = loop.time()
            goes_on = await log.read(read)
            await asyncio.sleep(min(loop.time() - started, LONGEST_PAUSE))


_turns: WeakKeyDictionary[asyncio.AbstractEventLoop, asyncio.Lock] = WeakKeyDictionary()
