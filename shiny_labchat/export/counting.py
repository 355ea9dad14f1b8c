"""What is counted of a message: its characters and words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from shiny_labchat.domain.messages import is_text
from shiny_labchat.domain.visible import has_visible

__all__ = ["count_words", "counts_of", "has_content", "text_of"]

_find_words = re.compile(r"[^\W_]+").findall


def count_words(text: str) -> int:
    """The number of runs of Unicode letters or digits in a text."""
    return len(_find_words(text))


def text_of(parts: Sequence[Any]) -> str:
    """The text of the parts of a message."""
    return "".join(content for kind, content in parts if is_text(kind))


def has_content(parts: Sequence[Any]) -> bool:
    """Whether there is anything to be seen in the parts of a message."""
    return any(not isinstance(said, str) or has_visible(said) for _, said in parts)


def counts_of(parts: Sequence[Any]) -> tuple[int, int]:
    """The numbers of characters and words of a message, which stay where its words are hidden."""
    text = text_of(parts)
    return len(text), count_words(text)
