"""The blocks of Python in README and docs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from .code import ROOT

__all__ = ["PAGES", "Block", "blocks"]

PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))
_BLOCK = re.compile(r"^```python\n(.*?)^```", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """
    A block of Python in a page.

    Parameters
    ----------
    page
        The page's file.
    line
        The line on which it begins.
    code
        The block.
    """

    page: Path
    line: int
    code: str

    @property
    def name(self) -> str:
        """Where it stands."""
        return f"{self.page.name}:{self.line}"

    @property
    def is_app(self) -> bool:
        """Whether it is a Shiny app; else it is a program."""
        return "from shiny.express import" in self.code or "from shiny import" in self.code

    @property
    def databases(self) -> set[str]:
        """The databases that it opens by their names."""
        return set(re.findall(r"(?:sqlite:///|file:)(\w+\.db)", self.code))


def blocks() -> Iterator[Block]:
    """All blocks, in order."""
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for found in _BLOCK.finditer(text):
            yield Block(page, text.count("\n", 0, found.start()) + 2, found[1])
