"""Ours, whose times to live are shorter, so that what lives for a day can be seen to end."""

from __future__ import annotations

import os

from shiny_labchat.store import tokens, writer
from tests.bench.sides.ours_app import app
from tests.soak.plan import SHORTER

__all__ = ["HOUR", "app"]

HOUR = 3600.0
"""Times of less than this, in seconds, stay as they are."""

_shorter = float(os.environ[SHORTER])
tokens.LIFETIMES |= {
    kind: life / _shorter for kind, life in tokens.LIFETIMES.items() if life and life >= HOUR
}
writer.TIDY /= _shorter
