"""
Ours, whose times to live are shorter, so that what lives for a day can be seen to end.

So a soak of 40 minutes is 40 hours of a server, in which people come 60 times more often. Rooms
that nobody has open stay in memory so much shorter, too: else there were 60 times as many of them.
"""

from __future__ import annotations

import os

from shiny_labchat.live import lingering
from shiny_labchat.store import tokens, writer
from tests.bench.sides.ours_app import app
from tests.soak.plan import SHORTER

__all__ = ["HOUR", "app"]

HOUR = 3600.0
"""The least time of a token that is made shorter, in seconds."""

_shorter = float(os.environ[SHORTER])
tokens.LIFETIMES |= {
    kind: life / _shorter for kind, life in tokens.LIFETIMES.items() if life and life >= HOUR
}
writer.TIDY /= _shorter
lingering.LINGER /= _shorter
