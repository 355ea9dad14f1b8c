"""
Forgetting what a process keeps only to find it again, when somebody has withdrawn in any process.

Rooms that are open hear of it by their logs. Of all else, the ledger beside the database tells.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping

from shiny_labchat.live.rooms import LiveRooms
from shiny_labchat.store import Log

__all__ = ["Forgetting"]

AGAIN_AFTER = 10.0
"""
How long after a change of the ledger all is forgotten once more, in seconds: it is written before
the database, and what was read between the two may have words that are blank since.
"""


class Forgetting:
    """
    What is to be forgotten in the event loops of one lab.

    Parameters
    ----------
    log
        The lab's log.
    live
        Returns its live rooms, by event loop.
    """

    def __init__(
        self, log: Log, live: Callable[[], Mapping[asyncio.AbstractEventLoop, LiveRooms]]
    ) -> None:
        self._log = log
        self._live = live
        self._known: tuple[int, int] | None = None
        self._again_at = 0.0

    async def look(self) -> None:
        """Forget it if the ledger is another one than when it was looked at last."""
        found = await asyncio.to_thread(self._stat)
        if found == self._known and not 0.0 < self._again_at <= time.monotonic():
            return
        self._again_at = 0.0 if found == self._known else time.monotonic() + AGAIN_AFTER
        self._known = found
        for loop, live in tuple(self._live().items()):
            if not loop.is_closed():
                loop.call_soon_threadsafe(live.forget_unused)

    def _stat(self) -> tuple[int, int] | None:
        try:
            found = self._log.ledger.path.stat()
        except OSError:
            return None
        return found.st_mtime_ns, found.st_size
