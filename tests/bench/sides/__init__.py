"""The four ways that are measured: how each is started, and how a person gets into its room."""

from __future__ import annotations

from tests.bench.sides.bare import Bare
from tests.bench.sides.ours import Ours
from tests.bench.sides.over_shiny import DIRECT, NAIVE
from tests.bench.sides.side import Person, Side

__all__ = ["BARE", "DIRECT", "NAIVE", "OURS", "SIDES", "WATCHED", "Person", "Side"]

BARE = Bare()
OURS = Ours()
WATCHED = Ours("tests.bench.sides.watched_app:app")
"""Ours, and what its server notices can be asked for."""
SIDES: tuple[Side, ...] = (BARE, NAIVE, DIRECT, OURS)
