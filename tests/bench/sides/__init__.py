"""The four ways that are measured: how each is started, and how a person gets into its room."""

from __future__ import annotations

from tests.bench.sides.bare import Bare
from tests.bench.sides.ours import Ours
from tests.bench.sides.over_shiny import DIRECT, NAIVE
from tests.bench.sides.side import Person, Side

__all__ = ["BARE", "DIRECT", "NAIVE", "OURS", "SIDES", "Person", "Side"]

BARE = Bare()
OURS = Ours()
SIDES: tuple[Side, ...] = (BARE, NAIVE, DIRECT, OURS)
