"""The rooms of ours: nobody writes too fast or too much there."""

from __future__ import annotations

from shiny_labchat import Rules

__all__ = ["RULES", "STUDY"]

RULES = Rules(max_length=50_000, rate=None)
STUDY = "bench"
