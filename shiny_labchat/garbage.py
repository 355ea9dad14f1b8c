"""
When Python looks at all objects for garbage, which stops everybody: 250 ms with 500 sessions.

Python itself would do so several times a minute while people talk, and nearly always in vain. What
there is to be found are Shiny's sessions and our sockets that have ended, some hundred objects each
that refer to one another. So it is done when enough of them have ended.
"""

from __future__ import annotations

import asyncio
import gc
from contextvars import Context

__all__ = ["Leftovers", "calm", "leftovers"]

THRESHOLDS = 10_000, 5, 50
"""
The least number of new objects between garbage collections (Python's default is 700), and of
collections between more thorough ones (10 and 10). The last is for apps that leave garbage of their
own: after 2,500,000 new objects, all are looked at.
"""
LEAST = 200
"""So many sessions and sockets have ended at least; what is left of them are about 5 MB."""
SHARE = 0.5
"""So many have ended at least, as a share of those that are open: so each costs the same."""
DELAY = 1.0
"""Seconds until then: what ends together is collected together."""


def calm() -> None:
    """
    Collect garbage less often, and never look at the objects of imports again.

    An app that has turned the collector off, or calmed it further, keeps its thresholds.
    """
    young, *_ = gc.get_threshold()
    if 0 < young < THRESHOLDS[0]:  # 0: the app collects by itself
        gc.set_threshold(*THRESHOLDS)
    gc.collect()
    gc.freeze()


class Leftovers:
    """
    Collects what is left of sessions and sockets that have ended, when there is enough of it.

    Parameters
    ----------
    least, delay
        See `LEAST` and `DELAY`.

    Attributes
    ----------
    number
        How many have ended since the last collection.
    """

    def __init__(self, least: int = LEAST, delay: float = DELAY) -> None:
        self.number = 0
        self._least = least
        self._delay = delay
        self._due: asyncio.AbstractEventLoop | None = None

    def ended(self, left: int) -> None:
        """
        Note that a session or a socket has ended.

        Parameters
        ----------
        left
            How many of its kind are open.
        """
        self.number += 1
        is_enough = self.number >= max(self._least, SHARE * left)
        is_wanted = gc.isenabled() and gc.get_threshold()[0] > 0
        is_due = self._due is not None and not self._due.is_closed()
        if is_enough and is_wanted and not is_due:
            self._due = loop = asyncio.get_running_loop()
            # Not in the context of this call, which has the session.
            loop.call_later(self._delay, self._collect, context=Context())

    def _collect(self) -> None:
        self.number = 0
        self._due = None
        gc.collect()


leftovers = Leftovers()
"""Those of this process."""
