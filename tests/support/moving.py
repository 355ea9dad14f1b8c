"""A database moved from inside a test, with nothing shown."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

from shiny_labchat.move import Moved, move
from shiny_labchat.store import parse

__all__ = ["moved", "no_bar"]


@contextmanager
def no_bar(what: str) -> Generator[Callable[[int, int], None]]:
    """Shows nothing of how far it is."""
    yield lambda done, total: None


def moved(old: str, new: str, bar: Any = no_bar) -> tuple[Moved, list[str]]:
    """Move a database; what has moved, and what was said."""
    said: list[str] = []
    return move(parse(old), parse(new), bar, said.append), said
