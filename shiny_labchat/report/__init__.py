"""A page for looking at a study: its people, its talk, its bots, in pictures and tables."""

from __future__ import annotations

__all__ = []
