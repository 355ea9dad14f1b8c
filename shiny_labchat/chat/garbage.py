"""
When Python looks at all objects for garbage, which stops everybody: 250 ms with 500 sessions.

Python itself would do so several times a minute while people talk, and nearly always in vain. What
there is to be found are sessions that have ended, some hundred objects each that refer to one
another. So it is done when enough of them have ended.
"""

from __future__ import annotations

import asyncio
import gc
from contextvars import Context

__all__ = ["calm", "session_ended"]

THRESHOLDS = 10_000, 5, 50
"""
The least number of new objects between garbage collections (Python's default is 700), and of
collections between more thorough ones (10 and 10). The last is for apps that leave garbage of their
own: after 2,500,000 new objects, all are looked at.
"""
LEAST = 100
"""So many sessions have ended at least; what is left of them are about 3 MB."""
SHARE = 0.25
"""So many sessions have ended at least, as a share of those that are open: each costs the same."""
AFTER = 1.0
"""Seconds until then: sessions that end at once are found at once."""

_ended = 0
_is_due = False


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


def session_ended(left: int) -> None:
    """
    Collect what is left of ended sessions, when there are enough of them.

    Parameters
    ----------
    left
        How many sessions are open.
    """
    global _ended, _is_due
    _ended += 1
    is_wanted = gc.isenabled() and gc.get_threshold()[0] > 0
    if is_wanted and not _is_due and _ended >= max(LEAST, SHARE * left):
        _is_due = True
        # Not in the context of this call, which has the session.
        asyncio.get_running_loop().call_later(AFTER, _collect, context=Context())


def _collect() -> None:
    global _ended, _is_due
    _ended, _is_due = 0, False
    gc.collect()
